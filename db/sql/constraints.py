"""Constraints: which one the database found broken, and what a broken one means."""

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
    """Tell whether PostgreSQL broke off a transaction that waited for one that waited for it; it may be begun anew."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == _DEADLOCK


def broken_by(error: DBAPIError) -> str:
    """Tell in the database's words which constraint a statement broke, without the values that it broke it with."""
    return str(error.orig).partition("\n")[0]


@contextmanager
def refusing_gone_accounts() -> Iterator[None]:
    """Turn the database's refusal of a new thing whose account is not there into `AccountGone`.

    Who sends a request is found out before its transaction begins, and the account may be deleted in between.
    """
    try:
        yield
    except IntegrityError as error:
        if _lacks_account(broken_by(error)):
            raise AccountGone from error
        raise


def _lacks_account(refusal: str) -> bool:
    # PostgreSQL names the key, whatever language it speaks. SQLite does not; but there writers hold the lock from the
    # beginning, so that nothing else that a row refers to can go between finding it and naming it.
    return "_id_accounts" in refusal or "FOREIGN KEY constraint failed" in refusal


def insert_into(bind: Session | Connection, model: type[Any]) -> Any:
    """Begin an insert that can say what a conflict means (`on_conflict_…`); each database has its own."""
    connection = bind.connection() if isinstance(bind, Session) else bind
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    return insert(model)
