"""Copies of an SQLite database, made beside the server, and put in its place."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing, suppress
from pathlib import Path
from urllib.parse import quote

from db.backups.errors import BackupError
from private_files import FILE_MODE

PAGES = 1_000
"""How many pages are copied at a time: 4 MB."""


def copy_database(source: Path, copy: Path, *, note: Callable[[int, int], None] = lambda _done, _all: None) -> None:
    """Copy a database as it is at this moment into a file; readers and writers go on meanwhile.

    `note` is called with the numbers of pages that are copied, and of all. Raises `BackupError`.
    """
    try:
        with closing(_opened(source, "ro")) as reading, closing(_opened(copy, "rwc")) as writing:
            # In a transaction all steps see the same moment. Without one, each write of another process would make the
            # copying begin again.
            reading.execute("BEGIN")
            reading.execute("SELECT count(*) FROM sqlite_schema").fetchone()
            reading.backup(writing, pages=PAGES, progress=lambda _, left, pages: note(pages - left, pages))
            # One file, with nothing beside it.
            writing.execute("PRAGMA journal_mode=DELETE")
        _write_through(copy)
    except sqlite3.Error as error:
        raise BackupError(f"{source} cannot be copied: {error}") from error


def check_database(file: Path) -> None:
    """Read a whole database. Raises `BackupError` where it is damaged."""
    with closing(_opened(file, "rw")) as connection:
        try:
            faults = connection.execute("PRAGMA integrity_check(1)").fetchall()
            faults = faults if faults != [("ok",)] else connection.execute("PRAGMA foreign_key_check").fetchall()
        except sqlite3.Error as error:
            raise BackupError(f"the copy cannot be read: {error}") from error
    if faults:
        raise BackupError("the copy is damaged: SQLite's integrity check found faults")


def put_in_place(copy: Path, database: Path, *, kept: Path) -> bool:
    """Make a copy the database, all at once; what was there is kept under another name. Return whether there was any.

    Raises `BackupError` while somebody has the database open.
    """
    was_there = database.exists()
    if was_there:
        with closing(_opened(database, "rw")) as connection:
            _keep_others_out(connection)
            os.link(database, kept)
            kept.chmod(FILE_MODE)
            for ending in ("-wal", "-shm"):
                with suppress(FileNotFoundError):
                    database.with_name(database.name + ending).rename(kept.with_name(kept.name + ending))
            copy.replace(database)
    else:
        copy.replace(database)
    _write_through(database.parent)
    return was_there


def _keep_others_out(connection: sqlite3.Connection) -> None:
    try:
        # SQLite leaves this mode only when nobody else has the database open, whether or not they ask it anything.
        connection.execute("PRAGMA journal_mode=DELETE")
        connection.execute("BEGIN EXCLUSIVE")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            raise BackupError("somebody has the database open: stop the server first") from error
    except sqlite3.DatabaseError:
        # It is damaged, and no server can have it open; that is what backups are for.
        return


def _opened(file: Path, mode: str) -> sqlite3.Connection:
    return sqlite3.connect(f"file:{quote(str(file))}?mode={mode}", uri=True, timeout=0, isolation_level=None)


def _write_through(path: Path) -> None:
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)
