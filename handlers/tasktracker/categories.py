from typing import Any

import clock
from db.sql.engine import autocommit, transaction
from db.sql.ownership import Row, add, find_owned, read_owned
from db.tasks.categories import Category, part_of_categories, refusing_taken_names, remove_category
from language.texts import instant_json, renamed, trimmed

MEMBERS = {"name": "name", "color": "color"}


def list_categories(user: int, limit: int | None, offset: int) -> dict[str, Any]:
    with autocommit() as connection:
        part = part_of_categories(connection, owner=user, limit=limit, offset=offset)
    categories = part.rows.shown_as(category_json)
    return {"categories": categories, "total": part.total, "limit": limit, "offset": offset}


def create_category(user: int, body: dict[str, Any]) -> dict[str, Any]:
    with refusing_taken_names(), transaction() as session:
        return category_json(add(session, Category, category_values(body), owner=user, at=clock.now()))


def read_category(user: int, category_id: int) -> dict[str, Any]:
    with autocommit() as connection:
        return category_json(read_owned(connection, Category, category_id, owner=user))


def update_category(user: int, category_id: int, body: dict[str, Any]) -> dict[str, Any]:
    with refusing_taken_names(), transaction() as session:
        category = find_owned(session, Category, category_id, owner=user)
        category.change(category_values(body), at=clock.now())
        return category_json(category)


def delete_category(user: int, category_id: int) -> None:
    with transaction() as session:
        remove_category(session, category_id, owner=user)


def category_values(body: dict[str, Any]) -> dict[str, Any]:
    values = renamed(body, MEMBERS)
    if "name" in values:
        values["name"] = trimmed(values["name"])
    return values


def category_json(category: Row) -> dict[str, Any]:
    return {
        "id": category.id,
        "user_id": category.account_id,
        "name": category.name,
        "color": category.color,
        "created_at": instant_json(category.created_at),
        "updated_at": instant_json(category.updated_at),
    }
