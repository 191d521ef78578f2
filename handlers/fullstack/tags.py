from typing import Any
from uuid import UUID

import clock
from db.sql.engine import autocommit, transaction
from db.sql.ownership import Row, find_by_uuid
from db.tasks.tags import Tag, add_tag, change_tag, part_of_tags
from language.texts import instant_json, renamed, trimmed

MEMBERS = {"name": "name", "color": "color"}


def list_tags(user: int, skip: int, limit: int) -> dict[str, Any]:
    with autocommit() as connection:
        part = part_of_tags(connection, owner=user, limit=limit, offset=skip)
    return {"tags": part.rows.shown_as(tag_json), "total": part.total, "skip": skip, "limit": limit}


def create_tag(user: int, body: dict[str, Any]) -> dict[str, Any]:
    with transaction() as session:
        return tag_json(add_tag(session, tag_values(body), owner=user, at=clock.now()))


def update_tag(user: int, tag_id: UUID, body: dict[str, Any]) -> dict[str, Any]:
    with transaction() as session:
        tag = find_by_uuid(session, Tag, tag_id, owner=user)
        change_tag(session, tag, tag_values(body), at=clock.now())
        return {**tag_json(tag), "updated_at": instant_json(tag.updated_at)}


def delete_tag(user: int, tag_id: UUID) -> None:
    with transaction() as session:
        session.delete(find_by_uuid(session, Tag, tag_id, owner=user))


def tag_values(body: dict[str, Any]) -> dict[str, Any]:
    values = renamed(body, MEMBERS)
    if "name" in values:
        values["name"] = trimmed(values["name"])
    return values


def tag_json(tag: Row) -> dict[str, Any]:
    return {
        "id": str(tag.uuid),
        "name": tag.name,
        "color": tag.color,
        "created_at": instant_json(tag.created_at),
    }
