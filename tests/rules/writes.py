"""Whether anything was written to the database meanwhile."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from typing import Any

from sqlalchemy import text

from db.schema import metadata
from db.sql.engine import autocommit

WasWritten = Callable[[], bool]

VERSIONS = " UNION ALL ".join(
    f"SELECT '{table.name}', count(*), sum(xmin::text::bigint) FROM {table.name}" for table in metadata.sorted_tables
)
"""For each table, how many rows it has, and by which transactions they were written: no new one without a write."""


@contextmanager
def watched_database(url: str) -> Iterator[WasWritten]:
    """Watch all tables; what is given tells whether any row was inserted, updated or deleted since."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as connection:
            yield _moved(lambda: connection.execute("PRAGMA data_version").fetchone())
    else:
        yield _moved(_versions)


def _moved(mark: Callable[[], Any]) -> WasWritten:
    before = mark()
    return lambda: mark() != before


def _versions() -> list[Any]:
    with autocommit() as connection:
        return sorted(map(tuple, connection.execute(text(VERSIONS))))
