"""Constraints: which one a statement broke, and which domain error that is."""

from typing import Any

from sqlalchemy import Connection
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from db.errors import AccountGone


def broken_by(error: DBAPIError) -> str:
    """Return the database's message about the broken constraint, without the values that broke it."""
    return str(error.orig).partition("\n")[0]


def refuse_gone_account(error: BaseException) -> None:
    """Raise `AccountGone` for an error that says that the database refused a new row for want of its account.

    The caller is identified before the transaction begins, and the account may be deleted in between.
    """
    if isinstance(error, IntegrityError) and _lacks_account(broken_by(error)):
        raise AccountGone from error


def _lacks_account(refusal: str) -> bool:
    # PostgreSQL names the foreign key in its message, whatever the message's language. SQLite does not; but there a
    # transaction holds the write lock from its beginning, so nothing else that the row refers to can have been deleted.
    return "_id_accounts" in refusal or "FOREIGN KEY constraint failed" in refusal


def insert_into(bind: Session | Connection, model: type[Any]) -> Any:
    """Begin an insert that has `on_conflict_…` methods; each database has its own kind."""
    connection = bind.connection() if isinstance(bind, Session) else bind
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    return insert(model)
