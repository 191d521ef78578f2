from typing import Any

from db.clock import instant_json, now
from db.personal_anchor import NEWEST_FOCUS_ITEMS_FIRST, FocusItem
from db.sql.engine import autocommit, transaction
from db.sql.ownership import add, find_owned, list_owned, read_owned
from db.values import day, day_json, members_of

MEMBERS = ("item_type", "title", "description", "status")


def list_focus_items(user: int, limit: int | None, offset: int) -> list[dict[str, Any]]:
    with autocommit() as connection:
        items = list_owned(connection, NEWEST_FOCUS_ITEMS_FIRST, owner=user, limit=limit, offset=offset)
    return [focus_item_json(item) for item in items]


def create_focus_item(user: int, body: dict[str, Any]) -> dict[str, Any]:
    with transaction() as session:
        return focus_item_json(add(session, FocusItem, focus_item_values(body), owner=user, at=now()))


def read_focus_item(user: int, focus_id: int) -> dict[str, Any]:
    with autocommit() as connection:
        return focus_item_json(read_owned(connection, FocusItem, focus_id, owner=user))


def update_focus_item(user: int, focus_id: int, body: dict[str, Any]) -> dict[str, Any]:
    with transaction() as session:
        item = find_owned(session, FocusItem, focus_id, owner=user)
        item.change(focus_item_values(body), at=now())
        return focus_item_json(item)


def delete_focus_item(user: int, focus_id: int) -> None:
    with transaction() as session:
        session.delete(find_owned(session, FocusItem, focus_id, owner=user))


def focus_item_values(body: dict[str, Any]) -> dict[str, Any]:
    values = members_of(body, MEMBERS)
    if "start_date" in body:
        values["start_date"] = day(body["start_date"])
    return values


def focus_item_json(item: FocusItem) -> dict[str, Any]:
    return {
        "id": item.id,
        "user_id": item.account_id,
        "item_type": item.item_type,
        "title": item.title,
        "description": item.description,
        "start_date": day_json(item.start_date),
        "status": item.status,
        "created_at": instant_json(item.created_at),
        "updated_at": instant_json(item.updated_at),
    }
