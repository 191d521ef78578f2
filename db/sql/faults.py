"""Faults of the database: which of its errors mean that the same request may succeed a little later."""

import sqlite3

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from db.errors import ConnectionLost, DatabaseBusy, DatabaseFull, Unavailable

_STATES = {"57014": DatabaseBusy, "55P03": DatabaseBusy, "40001": DatabaseBusy, "53100": DatabaseFull}
"""PostgreSQL's codes for a statement that took too long, a lock, a conflict, and a disk without room."""

_READ_ONLY = "25006"

_AWAY = ("08", _READ_ONLY, "53", "57", "58")
"""How PostgreSQL's codes begin for lost connections, a server that may only be read from, and other troubles of it."""

_SQLITE = {
    sqlite3.SQLITE_BUSY: DatabaseBusy,
    sqlite3.SQLITE_LOCKED: DatabaseBusy,
    sqlite3.SQLITE_INTERRUPT: DatabaseBusy,
    sqlite3.SQLITE_FULL: DatabaseFull,
    sqlite3.SQLITE_READONLY: Unavailable,
    sqlite3.SQLITE_IOERR: Unavailable,
    sqlite3.SQLITE_CANTOPEN: Unavailable,
}

_PRIMARY = 0xFF
"""What is left of SQLite's extended codes: `SQLITE_IOERR_WRITE` is an `SQLITE_IOERR`."""


def refuse_fault(error: BaseException, *, hung_up: bool) -> None:
    """Raise the kind of `Unavailable` that an error is, if it is the database's fault and may pass.

    `hung_up` says that the watch has ended the connection; then whatever the driver says of it, that is why.
    """
    if hung_up and isinstance(error, DBAPIError):
        raise DatabaseBusy from error
    fault = _fault_in(error)
    if fault is not None:
        raise fault from error


def reason_of(error: SQLAlchemyError) -> str:
    """Say in one line, to an operator, what the database has against being used."""
    # Drivers say why on the first line; what follows may be the statement.
    reasons = str(getattr(error, "orig", error)).splitlines() or [type(error).__name__]
    answers = isinstance(error, IntegrityError | DataError | ProgrammingError)
    return f"the database {'refuses' if answers else 'does not answer'}: {reasons[0]}"


def refuse_without_connection(error: Exception) -> None:
    """Raise `Unavailable` for an error that kept a connection from being opened or taken out of the pool."""
    if isinstance(error, DBAPIError) and not isinstance(error.orig, sqlite3.Error):
        raise Unavailable from error
    # asyncpg leaves what the operating system says as it is.
    if isinstance(error, OSError):
        raise Unavailable from error
    refuse_fault(error, hung_up=False)


def is_of_standby(error: BaseException) -> bool:
    """Check whether a server refused to write because it is a standby, or has become one."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) == _READ_ONLY


def _fault_in(error: BaseException) -> type[Unavailable] | None:
    if isinstance(error, PoolTimeout):
        return DatabaseBusy
    if not isinstance(error, DBAPIError):
        return None
    if isinstance(error.orig, sqlite3.Error):
        return _SQLITE.get(getattr(error.orig, "sqlite_errorcode", 0) & _PRIMARY)
    if error.connection_invalidated:
        return ConnectionLost
    state = getattr(error.orig, "sqlstate", None) or ""
    return _STATES.get(state) or (Unavailable if state.startswith(_AWAY) else None)
