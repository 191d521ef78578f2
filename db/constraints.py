"""Constraints: which one the database found broken, and what a broken one means."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from db.errors import AccountGone

DEADLOCK = "deadlock detected"
"""What PostgreSQL says to one of two transactions that wait for each other."""


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
    # SQLite does not say which key it is. There writers hold the lock from the beginning, so that nothing else
    # that a row refers to can go between finding it and naming it.
    return refusal.endswith('_accounts"') or "FOREIGN KEY constraint failed" in refusal


def insert_into(session: Session, model: type[Any]) -> Any:
    """Begin an insert that can say what a conflict means (`on_conflict_…`); each database has its own."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    return insert(model)
