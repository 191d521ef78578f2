from datetime import date
from typing import Any

import clock
from db.sql.engine import autocommit, transaction
from db.sql.ownership import Row, find_owned, read_owned
from db.tasks.categories import within_own_categories
from db.tasks.details import plain_tasks
from db.tasks.lists import Filters, Order, due_filters, part_of_tasks
from db.tasks.tasks import Task, add_task
from language.texts import due_day_json, instant_json, optional_instant_json, renamed

MEMBERS = {
    "title": "title",
    "description": "description",
    "status": "status",
    "priority": "priority",
    "due_date": "due_on",
    "category_id": "category_id",
}


def list_tasks(
    user: int,
    limit: int,
    offset: int,
    status: str | None,
    category_id: int | None,
    due_date: date | None,
    due_before: date | None,
    due_after: date | None,
    sort_by: str,
    sort_order: str,
) -> dict[str, Any]:
    due = due_filters(on=due_date, before=due_before, after=due_after)
    filters = {"status": status, "category_id": category_id, **due}
    return _part_json(user, Order(sort_by, descending=sort_order == "desc"), filters, limit=limit, offset=offset)


def create_task(user: int, body: dict[str, Any]) -> dict[str, Any]:
    values = renamed(body, MEMBERS)
    with autocommit() as connection, within_own_categories(connection, values, owner=user):
        return task_json(add_task(connection, owner=user, values=values, at=clock.now()))


def read_task(user: int, task_id: int) -> dict[str, Any]:
    with autocommit() as connection:
        return task_json(read_owned(connection, Task, task_id, owner=user))


def update_task(user: int, task_id: int, body: dict[str, Any]) -> dict[str, Any]:
    values = renamed(body, MEMBERS)
    with transaction() as session:
        task = find_owned(session, Task, task_id, owner=user)
        with within_own_categories(session.connection(), values, owner=user):
            task.change(values, at=clock.now())
            session.flush()
        return task_json(task)


def delete_task(user: int, task_id: int) -> None:
    with transaction() as session:
        session.delete(find_owned(session, Task, task_id, owner=user))


def _part_json(user: int, order: Order, filters: Filters, *, limit: int, offset: int) -> dict[str, Any]:
    with autocommit() as connection, within_own_categories(connection, filters, owner=user):
        part = part_of_tasks(connection, order, filters, owner=user, limit=limit, offset=offset, shown=plain_tasks)
    return {"tasks": part.rows.shown_as(task_json), "total": part.total, "limit": limit, "offset": offset}


def task_json(task: Row) -> dict[str, Any]:
    return {
        "id": task.id,
        "user_id": task.account_id,
        "title": task.title,
        "description": task.description,
        "status": task.status,
        "priority": task.priority,
        "due_date": due_day_json(task.due_at),
        "category_id": task.category_id,
        "created_at": instant_json(task.created_at),
        "updated_at": instant_json(task.updated_at),
        "completed_at": optional_instant_json(task.completed_at),
    }
