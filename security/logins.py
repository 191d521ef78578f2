"""Logging in, in whichever contract."""

from collections.abc import Callable
from datetime import datetime
from hashlib import sha256
from math import ceil
from typing import Any, NamedTuple

from sqlalchemy.orm import Session

from db.accounts.accounts import account_named, find_account, name_key, read_account
from db.accounts.login_attempts import SLOTS, WINDOW, clear_attempts, forget_old_attempts, next_free_at, take_slot
from db.accounts.logins import end_logins, open_login
from db.sql.engine import autocommit, transaction
from security.errors import InvalidCredentials, InvalidToken, TooManyAttempts, WrongPassword, WrongTokenKind
from security.passwords import hash_password, password_matches
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

    Raises `TooManyAttempts` after 5 wrong ones in 15 minutes for one name and client address, whether or not an
    account has that name. Raises `InvalidCredentials` for an unknown name as for a wrong password, and after the same
    time.
    """
    # What was presented is counted, not the account: a count that two names share would tell that both are one's.
    attempts = _count_attempt(_of_name(name_key(name)), client_address, at)
    with autocommit() as connection:
        account = find(connection, name)
    if not password_matches(password, account and account.password_hash) or account is None:
        raise InvalidCredentials("The name or the password is wrong.")
    with transaction() as session:
        clear_attempts(session, attempts)
        return account, open_tokens(session, account, at=at)


def confirm_password(account_id: int, password: str, *, client_address: str, at: datetime) -> None:
    """Check the current password of a caller who is logged in.

    Raises `WrongPassword`, `TooManyAttempts` after 5 wrong ones in 15 minutes for one account and client address, and
    `AccountGone`.
    """
    attempts = _count_attempt(_of_account(account_id), client_address, at)
    with autocommit() as connection:
        account = read_account(connection, account_id)
    if not password_matches(password, account.password_hash):
        raise WrongPassword("The current password is wrong.")
    with transaction() as session:
        clear_attempts(session, attempts)


def set_password(account_id: int, password: str, *, at: datetime) -> int:
    """Give an account another password, as an operator does for somebody who is locked out; return how many logins end.

    All its logins end, and attempts count anew, from wherever they were made. Raises `AccountGone`.
    """
    password_hash = hash_password(password)
    with transaction() as session:
        account = find_account(session, account_id)
        account.change_password(password_hash, at=at)
        for whose in (_of_account(account_id), _of_name(account.username_key), _of_name(account.email_key)):
            clear_attempts(session, _attempts_key(whose))
        return end_logins(session, account_id=account_id, at=at)


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


def _of_name(key: str) -> str:
    return f"name {key}"


def _of_account(account_id: int) -> str:
    return f"account {account_id}"


def _attempts_key(whose: str, client_address: str = "") -> str:
    """Return the key that attempts are counted under, without an address the beginning that all of them share.

    Names and addresses are not kept: each half of the key is the beginning of a hash.
    """
    texts = (whose, f"{whose}\n{client_address}") if client_address else (whose,)
    return "".join(sha256(text.encode(errors="surrogatepass")).hexdigest()[:32] for text in texts)


def _count_attempt(whose: str, client_address: str, at: datetime) -> str:
    key = _attempts_key(whose, client_address)
    with transaction() as session:
        forget_old_attempts(session, at=at)
        slot = take_slot(session, key, at=at)
        free_at = next_free_at(session, key)
    if slot is None:
        wait = ceil((free_at - at).total_seconds()) if free_at is not None else 1
        window = int(WINDOW.total_seconds())
        # The clock of another server may be ahead of this one's, but no one has to wait longer than a window.
        raise TooManyAttempts(
            "Too many attempts; try again later.",
            limit=SLOTS,
            window=window,
            retry_after=min(max(1, wait), window),
        )
    return key
