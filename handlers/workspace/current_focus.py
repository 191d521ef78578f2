from typing import Any

import clock
from db.personal_anchor import NEWEST_FOCUS_ITEMS_FIRST, FocusItem
from db.sql.engine import autocommit, transaction
from db.sql.listings import Pages
from db.sql.ownership import Row, add, find_owned, read_owned
from language.texts import day_json, instant_json, renamed

MEMBERS = {
    "item_type": "item_type",
    "title": "title",
    "description": "description",
    "start_date": "start_date",
    "status": "status",
}


def list_focus_items(user: int, limit: int | None, offset: int) -> Pages:
    return NEWEST_FOCUS_ITEMS_FIRST.pages(owner=user, limit=limit, offset=offset).shown_as(focus_item_json)


def create_focus_item(user: int, body: dict[str, Any]) -> dict[str, Any]:
    with transaction() as session:
        return focus_item_json(add(session, FocusItem, renamed(body, MEMBERS), owner=user, at=clock.now()))


def read_focus_item(user: int, focus_id: int) -> dict[str, Any]:
    with autocommit() as connection:
        return focus_item_json(read_owned(connection, FocusItem, focus_id, owner=user))


def update_focus_item(user: int, focus_id: int, body: dict[str, Any]) -> dict[str, Any]:
    with transaction() as session:
        item = find_owned(session, FocusItem, focus_id, owner=user)
        item.change(renamed(body, MEMBERS), at=clock.now())
        return focus_item_json(item)


def delete_focus_item(user: int, focus_id: int) -> None:
    with transaction() as session:
        session.delete(find_owned(session, FocusItem, focus_id, owner=user))


def focus_item_json(item: Row) -> dict[str, Any]:
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
