from typing import Any

from db.accounts.accounts import Account, change_account, read_account
from db.clock import instant_json, now
from db.sql.engine import autocommit, transaction
from db.values import members_of


def read_me(user: int) -> dict[str, Any]:
    with autocommit() as connection:
        return user_json(read_account(connection, user))


def update_me(user: int, body: dict[str, Any]) -> dict[str, Any]:
    changes = members_of(body, ("username", "email", "preferences"))
    with transaction() as session:
        return user_json(change_account(session, user, changes, at=now()))


def user_json(account: Account) -> dict[str, Any]:
    return {
        "id": str(account.uuid),
        "username": account.username,
        "email": account.email,
        "is_active": account.is_active,
        "created_at": instant_json(account.created_at),
        "updated_at": instant_json(account.updated_at),
        "preferences": account.preferences,
    }
