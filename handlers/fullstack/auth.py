from typing import Any

import clock
from db.accounts.accounts import Account
from db.membership import join
from db.sql.engine import transaction
from language.texts import instant_json
from security import logins
from security.passwords import hash_for_new_account, refuse_common


def log_in(body: dict[str, Any], client_address: str) -> dict[str, str]:
    _, tokens = logins.log_in(body["username"], body["password"], client_address=client_address, at=clock.now())
    return {"access_token": tokens.access_token, "refresh_token": tokens.refresh_token, "token_type": "bearer"}


def register(body: dict[str, Any]) -> dict[str, Any]:
    refuse_common(body["password"])
    names = {"username": body["username"], "email": body["email"]}
    password_hash = hash_for_new_account(body["password"], **names)
    with transaction() as session:
        return registered_user_json(join(session, **names, password_hash=password_hash, at=clock.now()))


def refresh(body: dict[str, Any]) -> dict[str, str]:
    return {"access_token": logins.renewed_access_token(body["refresh_token"], at=clock.now()), "token_type": "bearer"}


def registered_user_json(account: Account) -> dict[str, Any]:
    return {
        "id": str(account.uuid),
        "username": account.username,
        "email": account.email,
        "created_at": instant_json(account.created_at),
    }
