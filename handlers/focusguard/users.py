from typing import Any
from uuid import UUID

import clock
from db.accounts.accounts import change_account, find_account
from db.accounts.logins import end_logins
from db.focus.stats import level, xp
from db.focus.users import public_user_row, user_row
from db.membership import leave
from db.sql.engine import autocommit, transaction
from db.sql.ownership import Row
from language.texts import instant_json, renamed
from security.logins import confirm_password
from security.passwords import hash_password, refuse_common
from security.tokens import Token

MEMBERS = {"username": "username", "email": "email"}


def read_me(user: int) -> dict[str, Any]:
    with autocommit() as connection:
        return user_json(user_row(connection, user))


def update_me(user: int, body: dict[str, Any]) -> dict[str, Any]:
    with transaction() as session:
        change_account(session, user, renamed(body, MEMBERS), at=clock.now())
        return user_json(user_row(session.connection(), user))


def delete_me(user: int) -> None:
    with transaction() as session:
        leave(session, user)


def change_password(user: int, token: Token, body: dict[str, Any], client_address: str) -> dict[str, str]:
    refuse_common(body["new_password"], member="new_password")
    confirm_password(user, body["current_password"], client_address=client_address, at=clock.now())
    password_hash = hash_password(body["new_password"])
    with transaction() as session:
        find_account(session, user).change_password(password_hash, at=clock.now())
        end_logins(session, account_id=user, kept=token.login_id, at=clock.now())
    return {"message": "Your password is changed."}


def read_user(user_id: UUID) -> dict[str, Any]:
    with autocommit() as connection:
        return public_user_json(public_user_row(connection, user_id))


def public_user_json(user: Row) -> dict[str, Any]:
    return {
        "id": str(user.uuid),
        "username": user.username,
        "lvl": level(user.total_focus_min),
        "xp_points": xp(user.total_focus_min),
    }


def user_json(user: Row) -> dict[str, Any]:
    return {
        "id": str(user.uuid),
        "username": user.username,
        "email": user.email,
        "lvl": level(user.total_focus_min),
        "xp_points": xp(user.total_focus_min),
        "created_at": instant_json(user.created_at),
        "updated_at": instant_json(user.updated_at),
    }
