"""Accounts: one person, whichever contract's door they came in by."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

from sqlalchemy import CheckConstraint, Connection, String, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.days import zone_of
from db.errors import Duplicate, OwnerGone
from db.focus_stats import leaving_standings, open_stats
from db.types import Base, Id

DEFAULT_PREFERENCES = {"theme": "light"}


class Account(Base):
    """A person: an integer `id` (workspace, tasktracker) and a `uuid` (the other contracts) name the same one."""

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
        """Give the account another name, kept beside its key: names are unique regardless of case."""
        self.username = username
        self.username_key = name_key(username)
        self.updated_at = at

    def move_to(self, *, email: str, at: datetime) -> None:
        """Give the account another e-mail address, trimmed, kept beside its key."""
        self.email = email.strip()
        self.email_key = name_key(email)
        self.updated_at = at

    def change(self, values: Mapping[str, str], *, at: datetime) -> None:
        """Take on another `username` or `email`; one that is not given stays."""
        if "username" in values:
            self.rename(username=values["username"], at=at)
        if "email" in values:
            self.move_to(email=values["email"], at=at)

    def change_password(self, password_hash: str, *, at: datetime) -> None:
        """Replace the password by another one's hash."""
        self.password_hash = password_hash
        self.updated_at = at


def name_key(name: str) -> str:
    """Fold a username or e-mail address to what it is compared by: trimmed, without case."""
    return name.strip().casefold()


def open_account(session: Session, *, username: str, email: str, password_hash: str, at: datetime) -> Account:
    """Open an account. Raises `Duplicate` when the name or the address is taken."""
    account = Account(password_hash=password_hash, created_at=at)
    account.rename(username=username, at=at)
    account.move_to(email=email, at=at)
    session.add(account)
    with refusing_taken_names():
        session.flush()
    open_stats(session, account_id=account.id, at=at)
    return account


def close_account(session: Session, account_id: int) -> None:
    """Delete an account and, through the foreign keys, all that it owns in every contract."""
    with leaving_standings(session, owner=account_id):
        session.delete(find_account(session, account_id))


@contextmanager
def refusing_taken_names() -> Iterator[None]:
    """Turn the database's refusal of a second equal name or address into `Duplicate`.

    The constraints decide, so that of two requests racing for one name exactly one wins.
    """
    try:
        yield
    except IntegrityError as error:
        if "username_key" in str(error.orig):
            raise Duplicate("This username is taken.", "username_taken") from error
        if "email_key" in str(error.orig):
            raise Duplicate("This e-mail address is taken.", "email_taken") from error
        raise


def is_without_owner(error: Exception) -> bool:
    """Tell whether the database refused a row because its account was deleted a moment ago.

    SQLite does not say which of the foreign keys it was; the others are looked at before.
    """
    words = str(error.orig) if isinstance(error, IntegrityError) else ""
    return "_id_accounts" in words or "FOREIGN KEY constraint failed" in words


def find_account(session: Session, account_id: int) -> Account:
    """Find an account by its id, locked against others' changes. Raises `OwnerGone`."""
    account = session.get(Account, account_id, with_for_update=True)
    if account is None:
        raise OwnerGone("This account was deleted.")
    return account


def read_account(connection: Connection, account_id: int) -> Any:
    """Read an account's row by its id. Raises `OwnerGone`."""
    row = connection.execute(select(Account.__table__).where(Account.id == account_id)).first()
    if row is None:
        raise OwnerGone("This account was deleted.")
    return row


def account_named(connection: Connection, name: str) -> Any | None:
    """Read the row of the account that has `name` as its username or e-mail address; None when there is none."""
    key = name_key(name)
    named = or_(Account.username_key == key, Account.email_key == key)
    return connection.execute(select(Account.__table__).where(named)).first()


def zone_of_account(session: Session, account_id: int) -> ZoneInfo:
    """Tell the time zone of an account that is there."""
    return zone_of(session.scalars(select(Account.preferences).where(Account.id == account_id)).one())


def account_exists(connection: Connection, uuid: UUID) -> bool:
    """Tell whether the account is still there."""
    return connection.execute(select(Account.id).where(Account.uuid == uuid)).first() is not None
