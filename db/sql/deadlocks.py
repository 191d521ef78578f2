"""Deadlocks: PostgreSQL ends one of two transactions that wait for each other, and nothing of it is left."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError

from db.errors import DatabaseBusy

MOST_TRIES = 3
"""How often work is begun that PostgreSQL ends."""

Result = TypeVar("Result")

_DEADLOCK = "40P01"


def is_deadlock(error: Exception) -> bool:
    """Check whether PostgreSQL ended a transaction because of a deadlock; the transaction can be tried again."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == _DEADLOCK


def trying_anew(work: Callable[..., Result], *arguments: object) -> Result:
    """Do work, and do it again when its transaction was ended because of a deadlock.

    Raises `DatabaseBusy` when that happens every time.
    """
    tries = 1
    while True:
        try:
            return work(*arguments)
        except DBAPIError as error:
            if not is_deadlock(error):
                raise
            if tries == MOST_TRIES:
                raise DatabaseBusy from error
        tries += 1
