"""Constraints: which one a statement broke, and which domain error that is."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from db.errors import AccountGone

_DEADLOCK = "40P01"


def is_deadlock(error: Exception) -> bool:
    """Check whether PostgreSQL ended a transaction because of a deadlock; the transaction can be tried again."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == _DEADLOCK


def broken_by(error: DBAPIError) -> str:
    """Return the database's message about the broken constraint, without the values that broke it."""
    return str(error.orig).partition("\n")[0]


@contextmanager
def refusing_gone_accounts() -> Iterator[None]:
    """Raise `AccountGone` when the database refuses a new row because its account does not exist.

    The caller is identified before the transaction begins, and the account may be deleted in between.
    """
    try:
        yield
    except IntegrityError as error:
        if _lacks_account(broken_by(error)):
            raise AccountGone from error
        raise


def _lacks_account(refusal: str) -> bool:
    # PostgreSQL names the foreign key in its message, whatever the message's language. SQLite does not; but there a
    # transaction holds the write lock from its beginning, so nothing else that the row refers to can have been deleted.
    return "_id_accounts" in refusal or "FOREIGN KEY constraint failed" in refusal


def insert_into(bind: Session | Connection, model: type[Any]) -> Any:
    """Begin an insert that has `on_conflict_…` methods; each database has its own kind."""
    connection = bind.connection() if isinstance(bind, Session) else bind
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    return insert(model)
