"""SQLite: how its connections are set up to lose nothing, and to end what takes too long."""

import sqlite3
from math import inf
from time import monotonic
from typing import Any

from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL

LOCK_TIMEOUT_MILLISECONDS = 5_000

INSTRUCTIONS_BETWEEN_LOOKS = 10_000
"""How often SQLite looks at the clock; a statement that reads long texts takes 50 ms for so many."""


class _Connection(sqlite3.Connection):
    """A connection whose statements are interrupted once its deadline is over, by the reading of `monotonic`."""

    deadline = inf

    def is_late(self) -> bool:
        return monotonic() > self.deadline


def sqlite_engine(url: URL, **options: Any) -> Engine:
    """Return an engine for an SQLite file."""
    engine = create_engine(url, connect_args={"factory": _Connection}, **options)
    event.listen(engine, "connect", _prepare)
    return engine


def _prepare(connection: _Connection, _record: object) -> None:
    # The driver must not begin transactions by itself: `transaction` does so, and takes the write lock at once.
    connection.isolation_level = None
    for pragma in (f"busy_timeout={LOCK_TIMEOUT_MILLISECONDS}", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    _write_ahead(connection)
    connection.set_progress_handler(connection.is_late, INSTRUCTIONS_BETWEEN_LOOKS)


def _write_ahead(connection: sqlite3.Connection, attempts: int = 10) -> None:
    try:
        connection.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or attempts == 1:
            raise
        # Changing the mode does not wait for another writer, most likely a server that is starting; a transaction does.
        connection.execute("BEGIN IMMEDIATE")
        connection.execute("ROLLBACK")
        _write_ahead(connection, attempts - 1)
