from collections.abc import Callable
from typing import Any

from db.accounts.logins import end_login
from db.clock import now
from db.focus.users import user_row
from db.membership import join
from db.sql.engine import autocommit, transaction
from handlers.focusguard.users import user_json
from security import logins
from security.cookies import WithCookie, no_refresh_cookie, refresh_cookie
from security.logins import Tokens, open_tokens
from security.passwords import hash_password, refuse_common
from security.rotation import rotate
from security.tokens import Caller, Token, access_lifetime, identify


def register(body: dict[str, Any]) -> WithCookie:
    refuse_common(body["password"])
    password_hash = hash_password(body["password"])
    with transaction() as session:
        account = join(session, username=body["username"], email=body["email"], password_hash=password_hash, at=now())
        tokens = open_tokens(session, account, at=account.created_at)
    return _login_answer(account.id, tokens)


def log_in(body: dict[str, Any], client_address: str) -> WithCookie:
    account, tokens = logins.log_in(body["username"], body["password"], client_address=client_address, at=now())
    return _login_answer(account.id, tokens)


def log_out(token: Token) -> WithCookie:
    with autocommit() as connection:
        end_login(connection, token.login_id, at=now())
    return WithCookie({"message": "You are logged out."}, no_refresh_cookie())


def refresh(body: dict[str, Any], offered_token: Callable[[], Caller]) -> WithCookie:
    sent = body.get("refresh_token")
    caller = identify(sent, "refresh", at=now()) if sent else offered_token()
    tokens = rotate(caller, at=now())
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
