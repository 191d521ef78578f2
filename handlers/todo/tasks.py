from functools import partial
from typing import Any
from uuid import UUID

import clock
from db.sql.engine import autocommit, transaction
from db.sql.ownership import Row, find_owned, read_owned
from db.tasks.lists import Order, tally_tasks, tasks_in_order
from db.tasks.tasks import Task, add_task
from language.texts import instant_json, renamed
from security.tokens import Token

FILTERS = {"all": {}, "pending": {"is_open": True}, "completed": {"is_completed": True}}
ORDERS = {"created": Order("created_at", descending=True), "title": Order("title"), "due_date": Order("due_date")}
MEMBERS = {"title": "title", "description": "words"}


def list_tasks(*, user: int, token: Token, status: str, sort: str, limit: int | None, offset: int) -> dict[str, Any]:
    tasks = tasks_in_order(ORDERS[sort], FILTERS[status], owner=user, limit=limit, offset=offset)
    with autocommit() as connection:
        tally = tally_tasks(connection, owner=user)
    return {
        "tasks": tasks.shown_as(partial(task_json, user_id=token.account_uuid)),
        "total_count": tally.total,
        "completed_count": tally.total - tally.pending,
        "pending_count": tally.pending,
    }


def create_task(user: int, token: Token, body: dict[str, Any]) -> dict[str, Any]:
    with autocommit() as connection:
        task = add_task(connection, owner=user, values=renamed(body, MEMBERS), at=clock.now())
    return task_json(task, token.account_uuid)


def read_task(user: int, token: Token, id: int) -> dict[str, Any]:
    with autocommit() as connection:
        return task_json(read_owned(connection, Task, id, owner=user), token.account_uuid)


def update_task(user: int, token: Token, id: int, body: dict[str, Any]) -> dict[str, Any]:
    with transaction() as session:
        task = find_owned(session, Task, id, owner=user)
        task.change(renamed(body, MEMBERS), at=clock.now())
        return task_json(task, token.account_uuid)


def delete_task(user: int, id: int) -> dict[str, str]:
    with transaction() as session:
        session.delete(find_owned(session, Task, id, owner=user))
    return {"message": "Task deleted successfully"}


def set_task_completion(user: int, token: Token, id: int, body: dict[str, Any]) -> dict[str, Any]:
    with transaction() as session:
        task = find_owned(session, Task, id, owner=user)
        task.mark(completed=body.get("completed"), at=clock.now())
        return task_json(task, token.account_uuid)


def task_json(task: Row, user_id: UUID) -> dict[str, Any]:
    return {
        "id": task.id,
        "user_id": str(user_id),
        "title": task.title,
        "description": task.description or "",
        "completed": task.status == "completed",
        "created_at": instant_json(task.created_at),
        "updated_at": instant_json(task.updated_at),
    }
