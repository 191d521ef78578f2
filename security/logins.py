"""Logging in at any of the contracts' doors."""

from datetime import datetime
from hashlib import sha256
from math import ceil
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from db.accounts import account_named
from db.engine import autocommit, transaction
from db.login_attempts import SLOTS, WINDOW, forget_old_attempts, free_slot, next_free_at, take_slot
from db.logins import open_login
from security.errors import InvalidCredentials, TooManyAttempts
from security.passwords import password_matches
from security.tokens import access_token, refresh_lifetime, refresh_token


class Tokens(NamedTuple):
    """What a login gives."""

    access_token: str
    refresh_token: str


def log_in(name: str, password: str, *, client_address: str, at: datetime) -> tuple[Any, Tokens]:
    """Log in by username or e-mail address, and return the account's row and its tokens.

    Raises `TooManyAttempts` after 5 attempts in 15 minutes for one account and client address, and
    `InvalidCredentials`, the same and in the same time, for an unknown name and a wrong password.
    """
    with autocommit() as connection:
        account = account_named(connection, name)
    key = _attempt_key(account, name, client_address)
    slot = _take_slot(key, at)
    if not password_matches(password, account and account.password_hash) or account is None:
        raise InvalidCredentials("The name or the password is wrong.")
    with transaction() as session:
        free_slot(session, key, slot)
        return account, open_tokens(session, account, at=at)


def open_tokens(session: Session, account: Any, *, at: datetime) -> Tokens:
    """Open a login for an account whose password was given just now, and issue its tokens."""
    login = open_login(session, account_id=account.id, at=at, expires_at=at + refresh_lifetime())
    return Tokens(access_token(account, login.id, fresh=True, at=at), refresh_token(account, login, at=at))


def _attempt_key(account: Any, name: str, client_address: str) -> str:
    # An account has two names, username and e-mail address, and one budget.
    who = account.uuid.hex if account is not None else name.strip().casefold()
    return sha256(f"{who}\n{client_address}".encode()).hexdigest()


def _take_slot(key: str, at: datetime) -> int:
    with transaction() as session:
        forget_old_attempts(session, at=at)
        slot = take_slot(session, key, at=at)
        free_at = next_free_at(session, key)
    if slot is None:
        wait = ceil((free_at - at).total_seconds()) if free_at is not None else 1
        raise TooManyAttempts(
            "Too many login attempts; try again later.",
            limit=SLOTS,
            window=int(WINDOW.total_seconds()),
            retry_after=max(1, wait),
        )
    return slot
