from typing import Any

import clock
from db.accounts.logins import end_login
from db.errors import DomainError
from db.focus.users import user_row
from db.membership import join
from db.sql.engine import autocommit, transaction
from handlers.focusguard.users import user_json
from security import logins
from security.cookies import WithCookie, no_refresh_cookie, refresh_cookie
from security.logins import Tokens, open_tokens
from security.passwords import hash_for_new_account, refuse_common
from security.rotation import offered_caller, rotate
from security.tokens import Token, access_lifetime


def register(body: dict[str, Any]) -> WithCookie:
    refuse_common(body["password"])
    names = {"username": body["username"], "email": body["email"]}
    password_hash = hash_for_new_account(body["password"], **names)
    with transaction() as session:
        account = join(session, **names, password_hash=password_hash, at=clock.now())
        tokens = open_tokens(session, account, at=account.created_at)
    return _login_answer(account.id, tokens)


def log_in(body: dict[str, Any], client_address: str) -> WithCookie:
    account, tokens = logins.log_in(body["username"], body["password"], client_address=client_address, at=clock.now())
    return _login_answer(account.id, tokens)


def log_out(token: Token) -> WithCookie:
    with autocommit() as connection:
        end_login(connection, token.login_id, at=clock.now())
    return WithCookie({"message": "You are logged out."}, no_refresh_cookie())


def refresh(body: dict[str, Any], user: int | None, token: Token | None, refusal: DomainError | None) -> WithCookie:
    caller = offered_caller(body.get("refresh_token"), user, token, refusal, at=clock.now())
    tokens = rotate(caller, at=clock.now())
    return WithCookie(tokens_json(tokens), refresh_cookie(tokens.refresh_token))


def read_current_user(user: int) -> dict[str, Any]:
    with autocommit() as connection:
        return user_json(user_row(connection, user))


def _login_answer(account_id: int, tokens: Tokens) -> WithCookie:
    with autocommit() as connection:
        user = user_row(connection, account_id)
    return WithCookie({**tokens_json(tokens), "user": user_json(user)}, refresh_cookie(tokens.refresh_token))


def tokens_json(tokens: Tokens) -> dict[str, Any]:
    return {
        "access_token": tokens.access_token,
        "refresh_token": tokens.refresh_token,
        "token_type": "bearer",  # nosec B105
        "expires_in": int(access_lifetime().total_seconds()),
    }
