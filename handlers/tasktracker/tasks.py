from typing import Any

from db.clock import instant_json, now, optional_instant_json
from db.sql.engine import autocommit, transaction
from db.sql.ownership import find_owned, read_owned
from db.tasks.categories import within_own_categories
from db.tasks.details import plain_tasks
from db.tasks.lists import Order, due_filters, page_of_tasks
from db.tasks.tasks import Task, add_task
from db.values import day, due_day_json, task_values

MEMBERS = ("title", "description", "status", "priority", "category_id")


def list_tasks(user: int, query: dict[str, Any], limit: int, offset: int) -> dict[str, Any]:
    order = Order(query["sort_by"], descending=query["sort_order"] == "desc")
    with autocommit() as connection, within_own_categories(connection, query, owner=user):
        page = page_of_tasks(
            connection, order, _filters(query), owner=user, limit=limit, offset=offset, shown=plain_tasks
        )
    return {"tasks": [task_json(task) for task in page.rows], "total": page.total, "limit": limit, "offset": offset}


def create_task(user: int, body: dict[str, Any]) -> dict[str, Any]:
    values = task_values(body, MEMBERS)
    with autocommit() as connection, within_own_categories(connection, values, owner=user):
        return task_json(add_task(connection, owner=user, values=values, at=now()))


def read_task(user: int, task_id: int) -> dict[str, Any]:
    with autocommit() as connection:
        return task_json(read_owned(connection, Task, task_id, owner=user))


def update_task(user: int, task_id: int, body: dict[str, Any]) -> dict[str, Any]:
    values = task_values(body, MEMBERS)
    with transaction() as session:
        task = find_owned(session, Task, task_id, owner=user)
        with within_own_categories(session.connection(), values, owner=user):
            task.change(values, at=now())
            session.flush()
        return task_json(task)


def delete_task(user: int, task_id: int) -> None:
    with transaction() as session:
        session.delete(find_owned(session, Task, task_id, owner=user))


def _filters(query: dict[str, Any]) -> dict[str, Any]:
    due = due_filters(on=day(query["due_date"]), before=day(query["due_before"]), after=day(query["due_after"]))
    return {"status": query["status"], "category_id": query["category_id"], **due}


def task_json(task: Task) -> dict[str, Any]:
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
