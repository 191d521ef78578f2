"""Accounts: one for each person, whichever contract they use."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import orjson
from sqlalchemy import CheckConstraint, Connection, Index, String, or_, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, Session, mapped_column
from sqlalchemy.orm.attributes import flag_modified

from db.errors import AccountGone, BadValue, Duplicate
from db.sql.constraints import broken_by
from db.sql.deadlocks import is_deadlock
from db.sql.ownership import Changing
from db.sql.types import Base, Id
from names import email_key, username_key

DEFAULT_PREFERENCES = {"theme": "light"}

MOST_PREFERENCES_BYTES = 16_384
"""The most that the preferences of an account may take: 16 KiB of JSON in UTF-8."""


class Account(Changing, Base):
    """A person, identified by an integer `id` (workspace, tasktracker) and a `uuid` (the other contracts)."""

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint("length(username) > 0", "username_not_empty"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    username: Mapped[str] = mapped_column(String(64))
    username_key: Mapped[str] = mapped_column(String(192), unique=True)
    email: Mapped[str] = mapped_column(String(254))
    email_key: Mapped[str] = mapped_column(String(762), unique=True)
    password_hash: Mapped[str] = mapped_column(String(60))
    preferences: Mapped[dict[str, Any]] = mapped_column(default=lambda: dict(DEFAULT_PREFERENCES))
    is_active: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    def rename(self, *, username: str, at: datetime) -> None:
        """Change the username, and the key that makes it unique. Raises `ValueError` for what cannot be one."""
        super().change({"username_key": username_key(username), "username": username}, at=at)

    def move_to(self, *, email: str, at: datetime) -> None:
        """Change the e-mail address, trimmed, and the key that makes it unique. Raises `ValueError` for none."""
        super().change({"email_key": email_key(email), "email": email.strip()}, at=at)

    def prefer(self, changes: Mapping[str, Any], *, at: datetime) -> None:
        """Merge changes into the preferences, one level deep; None removes a preference. Raises `BadValue`."""
        merged = {name: value for name, value in {**self.preferences, **changes}.items() if value is not None}
        written = orjson.dumps(merged)
        if len(written) > MOST_PREFERENCES_BYTES:
            raise BadValue("preferences", f"must have at most {MOST_PREFERENCES_BYTES} bytes of JSON in all")
        if any("\0" in text for text in _texts_in(changes)):
            raise BadValue("preferences", "must hold no NUL character")
        # To Python, and so to SQLAlchemy, `true`, `1` and `1.0` are equal.
        if written != orjson.dumps(self.preferences):
            self.preferences = merged
            flag_modified(self, "preferences")
            self.updated_at = at

    def change(self, values: Mapping[str, Any], *, at: datetime) -> None:
        """Change those of `username`, `email` and `preferences` that are given. Raises `BadValue`.

        `updated_at` is when one of them last became different.
        """
        if "username" in values:
            self.rename(username=values["username"], at=at)
        if "email" in values:
            self.move_to(email=values["email"], at=at)
        if "preferences" in values:
            self.prefer(values["preferences"], at=at)

    def change_password(self, password_hash: str, *, at: datetime) -> None:
        """Replace the password by another one, given as its hash."""
        self.password_hash = password_hash
        self.updated_at = at

    def close(self) -> None:
        """Free its names and forget whose it was: no id, name or token leads to it any more.

        It stays for as long as there are things of it to delete (`db/sweeping.py`).
        """
        self.uuid = uuid4()
        self.username = self.email = "closed"
        # The key of a name is in lower case, so no name has one of these.
        self.username_key = self.email_key = f"CLOSED {self.id}"
        self.password_hash = ""
        self.preferences = {}
        self.is_active = False


IS_CLOSED = Account.is_active.is_(False)

Index("ix_accounts_closed", Account.id, postgresql_where=IS_CLOSED, sqlite_where=IS_CLOSED)


def _texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        parts = [*value.keys(), *value.values()] if isinstance(value, Mapping) else value
        for part in parts:
            yield from _texts_in(part)


def name_key(name: str) -> str:
    """Return the key by which an account is looked up that goes by a username or e-mail address.

    What cannot be either has a key all the same, by which nobody is found.
    """
    try:
        return email_key(name) if "@" in name else username_key(name.strip())
    except ValueError:
        return name.strip().casefold()


def add_account(session: Session, *, username: str, email: str, password_hash: str, at: datetime) -> Account:
    """Add an account and nothing else; `db.membership.join` also begins its statistics.

    Raises `Duplicate` when the name or the address is taken.
    """
    account = Account(password_hash=password_hash, created_at=at)
    account.rename(username=username, at=at)
    account.move_to(email=email, at=at)
    session.add(account)
    with refusing_taken_names():
        session.flush()
    return account


def change_account(session: Session, account_id: int, values: Mapping[str, Any], *, at: datetime) -> Account:
    """Change the caller's account. Raises `AccountGone`, `BadValue`, or `Duplicate` for a taken name or address."""
    account = find_account(session, account_id)
    account.change(values, at=at)
    with refusing_taken_names():
        session.flush()
    return account


_username_taken = partial(Duplicate, "This username is taken.", "username_taken")
_email_taken = partial(Duplicate, "This e-mail address is taken.", "email_taken")


def refuse_taken_names(connection: Connection, *, username: str, email: str) -> None:
    """Raise `Duplicate` for a username or an address that is taken already, before its password is hashed for nothing.

    The constraints decide all the same (`refusing_taken_names`): it may be taken a moment later.
    """
    if connection.execute(select(Account.id).where(Account.username_key == name_key(username))).first():
        raise _username_taken()
    if connection.execute(select(Account.id).where(Account.email_key == name_key(email))).first():
        raise _email_taken()


@contextmanager
def refusing_taken_names() -> Iterator[None]:
    """Raise `Duplicate` when the database refuses a username or an e-mail address because it is taken.

    The constraints decide, so of two requests that race for a name exactly one wins.
    """
    try:
        yield
    except DBAPIError as error:
        if is_deadlock(error):
            # Two accounts that swap names at the same time wait for each other.
            raise Duplicate("This username or e-mail address is taken.") from error
        if "username_key" in broken_by(error):
            raise _username_taken() from error
        if "email_key" in broken_by(error):
            raise _email_taken() from error
        raise


def find_account(session: Session, account_id: int) -> Account:
    """Find the caller's account by its id and lock it, in order to change it. Raises `AccountGone`."""
    account = session.get(Account, account_id, with_for_update=True)
    if account is None or not account.is_active:
        raise AccountGone
    return account


def read_account(connection: Connection, account_id: int) -> Any:
    """Read the row of the caller's account by its id. Raises `AccountGone`."""
    row = connection.execute(select(Account.__table__).where(Account.id == account_id)).first()
    if row is None or not row.is_active:
        raise AccountGone
    return row


def account_named(connection: Connection, name: str) -> Any | None:
    """Read the row of the account that has `name` as its username or e-mail address; None when there is none."""
    key = name_key(name)
    named = or_(Account.username_key == key, Account.email_key == key)
    return connection.execute(select(Account.__table__).where(named)).first()


def account_with_email(connection: Connection, email: str) -> Any | None:
    """Read the row of the account that has this e-mail address; None when there is none."""
    return connection.execute(select(Account.__table__).where(Account.email_key == name_key(email))).first()


def account_exists(connection: Connection, uuid: UUID) -> bool:
    """Check whether the account still exists."""
    return connection.execute(select(Account.id).where(Account.uuid == uuid)).first() is not None
