from typing import Any

import clock
from db.sql.engine import autocommit, transaction
from db.sql.listings import Pages
from db.sql.ownership import Row, find_owned, read_owned
from db.tasks.tasks import NEWEST_TASKS_FIRST, Task, add_task
from language.texts import due_day_json, instant_json, optional_instant_json, renamed

MEMBERS = {
    "title": "title",
    "description": "description",
    "due_date": "due_on",
    "status": "status",
    "priority": "priority",
}


def list_todos(user: int, limit: int | None, offset: int) -> Pages:
    return NEWEST_TASKS_FIRST.pages(owner=user, limit=limit, offset=offset).shown_as(todo_json)


def create_todo(user: int, body: dict[str, Any]) -> dict[str, Any]:
    with autocommit() as connection:
        return todo_json(add_task(connection, owner=user, values=renamed(body, MEMBERS), at=clock.now()))


def read_todo(user: int, todo_id: int) -> dict[str, Any]:
    with autocommit() as connection:
        return todo_json(read_owned(connection, Task, todo_id, owner=user))


def update_todo(user: int, todo_id: int, body: dict[str, Any]) -> dict[str, Any]:
    with transaction() as session:
        task = find_owned(session, Task, todo_id, owner=user)
        task.change(renamed(body, MEMBERS), at=clock.now())
        return todo_json(task)


def delete_todo(user: int, todo_id: int) -> None:
    with transaction() as session:
        session.delete(find_owned(session, Task, todo_id, owner=user))


def todo_json(task: Row) -> dict[str, Any]:
    return {
        "id": task.id,
        "user_id": task.account_id,
        "title": task.title,
        "description": task.description,
        "due_date": due_day_json(task.due_at),
        "status": task.status,
        "priority": task.priority,
        "created_at": instant_json(task.created_at),
        "updated_at": instant_json(task.updated_at),
        "completed_at": optional_instant_json(task.completed_at),
    }
