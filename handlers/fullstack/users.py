from typing import Any

import clock
from db.accounts.accounts import change_account, read_account
from db.sql.engine import autocommit, transaction
from db.sql.ownership import Row
from language.texts import instant_json, renamed

MEMBERS = {"username": "username", "email": "email", "preferences": "preferences"}


def read_me(user: int) -> dict[str, Any]:
    with autocommit() as connection:
        return user_json(read_account(connection, user))


def update_me(user: int, body: dict[str, Any]) -> dict[str, Any]:
    changes = renamed(body, MEMBERS)
    with transaction() as session:
        return user_json(change_account(session, user, changes, at=clock.now()))


def user_json(account: Row) -> dict[str, Any]:
    return {
        "id": str(account.uuid),
        "username": account.username,
        "email": account.email,
        "is_active": account.is_active,
        "created_at": instant_json(account.created_at),
        "updated_at": instant_json(account.updated_at),
        "preferences": account.preferences,
    }
