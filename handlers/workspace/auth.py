from typing import Any

import clock
from db.accounts.accounts import account_with_email, find_account, read_account
from db.accounts.logins import end_logins, revoke_token
from db.membership import join
from db.personal_anchor import make_profile
from db.sql.engine import autocommit, transaction
from db.sql.ownership import Row
from language.texts import instant_json
from security import logins
from security.passwords import hash_for_new_account, hash_password
from security.tokens import Token, access_token


def register(body: dict[str, Any]) -> dict[str, Any]:
    names = {"username": body["username"], "email": body["email"]}
    password_hash = hash_for_new_account(body["password"], **names)
    with transaction() as session:
        account = join(session, **names, password_hash=password_hash, at=clock.now())
        make_profile(session, owner=account.id, at=account.created_at)
        return {"message": "User registered successfully", "user": new_user_json(account)}


def log_in(body: dict[str, Any], client_address: str) -> dict[str, str]:
    _, tokens = logins.log_in(
        body["email"], body["password"], client_address=client_address, at=clock.now(), find=account_with_email
    )
    return {"access_token": tokens.access_token, "refresh_token": tokens.refresh_token}


def read_me(user: int) -> dict[str, Any]:
    with autocommit() as connection:
        return user_json(read_account(connection, user))


def refresh(user: int, token: Token) -> dict[str, str]:
    with autocommit() as connection:
        account = read_account(connection, user)
    return {"access_token": access_token(account, token.login_id, fresh=False, at=clock.now())}


def log_out(token: Token) -> dict[str, str]:
    _revoke(token)
    return {"message": "Access token revoked. User logged out."}


def log_out_refresh(token: Token) -> dict[str, str]:
    _revoke(token)
    return {"message": "Refresh token revoked."}


def change_password(user: int, token: Token, body: dict[str, Any]) -> dict[str, str]:
    password_hash = hash_password(body["new_password"])
    with transaction() as session:
        find_account(session, user).change_password(password_hash, at=clock.now())
        end_logins(session, account_id=user, kept=token.login_id, at=clock.now())
    return {"message": "Password updated successfully."}


def _revoke(token: Token) -> None:
    with transaction() as session:
        revoke_token(session, jti=token.jti, expires_at=token.expires_at, at=clock.now())


def new_user_json(account: Row) -> dict[str, Any]:
    return {
        "id": account.id,
        "username": account.username,
        "email": account.email,
        "created_at": instant_json(account.created_at),
    }


def user_json(account: Row) -> dict[str, Any]:
    return {**new_user_json(account), "updated_at": instant_json(account.updated_at)}
