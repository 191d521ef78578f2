from typing import Any
from uuid import UUID

import clock
from db.sql.engine import autocommit, transaction
from db.sql.ownership import Row, find_by_uuid
from db.tasks.details import TaskTag, read_detailed_task, tags_of
from db.tasks.lists import Order, part_of_tasks
from db.tasks.tasks import Task, new_task
from language.texts import instant_json, optional_instant_json, renamed, trimmed

FILTERS = {None: {}, "active": {"is_open": True}, "completed": {"is_completed": True}}
MEMBERS = {
    "title": "title",
    "description": "description",
    "priority": "priority",
    "due_date": "due_at",
    "tags": "tags",
    "recurrence_pattern": "recurrence",
}


def list_tasks(
    user: int,
    skip: int,
    limit: int,
    status: str | None,
    priority: str | None,
    search: str | None,
    sort_by: str,
    sort_order: str,
) -> dict[str, Any]:
    filters = {**FILTERS[status], "priority": priority, "search": search}
    order = Order(sort_by, descending=sort_order == "desc")
    with autocommit() as connection:
        part = part_of_tasks(connection, order, filters, owner=user, limit=limit, offset=skip)
    return {"tasks": part.rows.shown_as(task_json), "total": part.total, "skip": skip, "limit": limit}


def create_task(user: int, body: dict[str, Any]) -> dict[str, Any]:
    with transaction() as session:
        task = new_task(session, task_values(body), owner=user, at=clock.now())
        return task_json(read_detailed_task(session.connection(), task.uuid, owner=user))


def read_task(user: int, task_id: UUID) -> dict[str, Any]:
    with autocommit() as connection:
        return task_json(read_detailed_task(connection, task_id, owner=user))


def update_task(user: int, task_id: UUID, body: dict[str, Any]) -> dict[str, Any]:
    with transaction() as session:
        find_by_uuid(session, Task, task_id, owner=user).change(changed_task_values(body), at=clock.now())
        session.flush()
        return task_json(read_detailed_task(session.connection(), task_id, owner=user))


def delete_task(user: int, task_id: UUID) -> None:
    with transaction() as session:
        session.delete(find_by_uuid(session, Task, task_id, owner=user))


def toggle_task_status(user: int, task_id: UUID) -> dict[str, Any]:
    with transaction() as session:
        task = find_by_uuid(session, Task, task_id, owner=user)
        task.mark(completed=None, at=clock.now())
        return task_status_json(task)


def task_values(body: dict[str, Any]) -> dict[str, Any]:
    values = renamed(body, MEMBERS)
    if "tags" in values:
        values["tags"] = [trimmed(tag if isinstance(tag, str) else tag["name"]) for tag in values["tags"]]
    if values.get("recurrence"):
        values["recurrence"] = recurrence_values(values["recurrence"])
    return values


def changed_task_values(body: dict[str, Any]) -> dict[str, Any]:
    values = task_values(body)
    if "status" in body:
        values["completed"] = body["status"] == "completed"
    return values


def recurrence_values(pattern: dict[str, Any]) -> dict[str, Any]:
    return {
        "pattern_type": pattern["pattern_type"],
        "interval": pattern.get("interval", 1),
        "end_at": pattern.get("end_date"),
        "occurrences_count": pattern.get("occurrences_count"),
    }


def task_json(task: Row) -> dict[str, Any]:
    return {
        "id": str(task.uuid),
        "title": task.title,
        "description": task.description,
        "status": status_json(task),
        "priority": task.priority,
        "due_date": optional_instant_json(task.due_at),
        "created_at": instant_json(task.created_at),
        "updated_at": instant_json(task.updated_at),
        "completed_at": optional_instant_json(task.completed_at),
        "tags": [task_tag_json(tag) for tag in tags_of(task)],
        "recurrence_pattern": task.recurrence_uuid and recurrence_json(task),
    }


def task_status_json(task: Task) -> dict[str, Any]:
    return {
        "id": str(task.uuid),
        "status": status_json(task),
        "completed_at": optional_instant_json(task.completed_at),
    }


def status_json(task: Row) -> str:
    return "completed" if task.status == "completed" else "active"


def task_tag_json(tag: TaskTag) -> dict[str, Any]:
    return {"id": tag.uuid, "name": tag.name, "color": tag.color}


def recurrence_json(task: Row) -> dict[str, Any]:
    return {
        "id": str(task.recurrence_uuid),
        "pattern_type": task.recurrence_pattern_type,
        "interval": task.recurrence_interval,
        "end_date": optional_instant_json(task.recurrence_end_at),
        "occurrences_count": task.recurrence_occurrences_count,
    }
