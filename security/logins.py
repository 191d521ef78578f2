"""Logging in, in whichever contract."""

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from math import ceil
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from db.accounts.accounts import account_named, read_account
from db.accounts.login_attempts import SLOTS, WINDOW, forget_old_attempts, free_slot, next_free_at, take_slot
from db.accounts.logins import open_login
from db.sql.engine import autocommit, transaction
from security.errors import InvalidCredentials, InvalidToken, TooManyAttempts, WrongTokenKind
from security.passwords import password_matches
from security.tokens import access_token, identify, refresh_lifetime, refresh_token


class Tokens(NamedTuple):
    """The tokens that a login issues."""

    access_token: str
    refresh_token: str


def log_in(
    name: str, password: str, *, client_address: str, at: datetime, find: Callable[..., Any | None] = account_named
) -> tuple[Any, Tokens]:
    """Log in, and return the account's row and its tokens.

    `find` finds the account by name: by username or e-mail address, unless a contract accepts only one of them.

    Raises `TooManyAttempts` after 5 attempts in 15 minutes for one account and client address. Raises
    `InvalidCredentials` for an unknown name as for a wrong password, and after the same time.
    """
    with autocommit() as connection:
        account = find(connection, name)
    key = _attempt_key(account, name, client_address)
    slot = _take_slot(key, at)
    if not password_matches(password, account and account.password_hash) or account is None:
        raise InvalidCredentials("The name or the password is wrong.")
    with transaction() as session:
        free_slot(session, key, slot)
        return account, open_tokens(session, account, at=at)


def open_tokens(session: Session, account: Any, *, at: datetime) -> Tokens:
    """Open a login for an account whose password was just checked or set, and issue its tokens."""
    login = open_login(session, account_id=account.id, at=at, expires_at=at + refresh_lifetime())
    return Tokens(access_token(account, login.id, fresh=True, at=at), refresh_token(account, login, at=at))


def renewed_access_token(raw: str, *, at: datetime) -> str:
    """Exchange a refresh token, sent in a request body, for an access token. Raises `InvalidToken` or `AccountGone`."""
    try:
        caller = identify(raw, "refresh", at=at)
    except WrongTokenKind as error:
        raise InvalidToken(error.message, error.code) from error
    with autocommit() as connection:
        account = read_account(connection, caller.account_id)
    return access_token(account, caller.token.login_id, fresh=False, at=at)


def _attempt_key(account: Any, name: str, client_address: str) -> str:
    # An account has two names, username and e-mail address, but only one set of attempts.
    who = account.uuid.hex if account is not None else name.strip().casefold()
    return sha256(f"{who}\n{client_address}".encode()).hexdigest()


def _take_slot(key: str, at: datetime) -> int:
    with transaction() as session:
        forget_old_attempts(session, at=at)
        slot = take_slot(session, key, at=at)
        free_at = next_free_at(session, key)
    if slot is None:
        wait = ceil((free_at - at).total_seconds()) if free_at is not None else 1
        window = int(WINDOW.total_seconds())
        # The clock of another server may be ahead of this one's, but no one has to wait longer than a window.
        raise TooManyAttempts(
            "Too many login attempts; try again later.",
            limit=SLOTS,
            window=window,
            retry_after=min(max(1, wait), window),
        )
    return slot
