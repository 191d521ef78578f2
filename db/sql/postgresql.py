"""PostgreSQL: how its connections are opened, in threads and on the event loop, and how dead ones are told.

A connection sets `SET_UP` as it is opened. A pooler in transaction mode (PgBouncer) passes no such settings on, and one
that keeps no prepared statements gives each transaction a connection on which others have prepared theirs. With
`prepared=False` a connection therefore sets nothing, which the database's role has to do instead, and prepares nothing.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from select import POLLIN, poll
from time import monotonic
from typing import Any

import asyncpg
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import URL
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import create_async_engine

from db.sql.watch import (
    CONNECT_TIMEOUT_SECONDS,
    REPLICA_SECONDS,
    STATEMENT_TIMEOUT_MILLISECONDS,
    in_use,
    note_answer,
    of_replicas,
)

AT_ONCE = 12
"""How many requests may use the database at once. There is a connection for each, and one more for `ping`."""

KEPT_OPEN = 8
POOL = {"pool_size": KEPT_OPEN, "max_overflow": AT_ONCE + 1 - KEPT_OPEN, "pool_timeout": CONNECT_TIMEOUT_SECONDS}
SET_UP = {"timezone": "UTC", "statement_timeout": f"{STATEMENT_TIMEOUT_MILLISECONDS}"}

# Autocommit saves each read two round trips, BEGIN and ROLLBACK; `transaction` sets its own isolation level.
AUTOCOMMIT = {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True}

# Error messages leave out the statement's parameters, which may be a password hash or what a person wrote.
QUIET = {"hide_parameters": True}

Opening = Callable[[], Awaitable[asyncpg.Connection]]


def in_threads(url: URL, *, prepared: bool) -> Engine:
    """Return an engine that blocks its thread while it waits for PostgreSQL."""
    options = " ".join(f"-c {name}={value}" for name, value in SET_UP.items())
    set_up: dict[str, Any] = {"options": options} if prepared else {"prepare_threshold": None}
    # libpq waits two seconds at least.
    engine = create_engine(url, connect_args={"connect_timeout": 2, **set_up}, **AUTOCOMMIT, **POOL, **QUIET)
    event.listen(engine, "connect", _watch_set_up, insert=True)
    event.listen(engine, "checkout", _refuse_dead_in_thread)
    event.listen(engine, "after_cursor_execute", note_answer)
    return engine


def on_loop(url: URL, *, prepared: bool) -> Engine:
    """Return an engine for greenlets on the event loop, which goes on while they wait for PostgreSQL."""
    engine = _asyncpg_engine(opening(url, prepared=prepared), prepared=prepared)
    event.listen(engine, "connect", _watch_set_up, insert=True)
    event.listen(engine, "after_cursor_execute", note_answer)
    return engine


def replica_on_loop(url: URL, *, prepared: bool) -> Engine:
    """Return an engine for reads from replicas: a replica that does not answer is soon given up."""
    engine = _asyncpg_engine(opening(url, prepared=prepared, timeout=REPLICA_SECONDS), prepared=prepared)
    event.listen(engine, "connect", _watch_set_up_of_replica, insert=True)
    return engine


def opening(url: URL, *, prepared: bool, timeout: float = CONNECT_TIMEOUT_SECONDS) -> Opening:
    """Say how asyncpg opens a connection, within a time in seconds."""
    # asyncpg reads the URL itself, so everything that PostgreSQL URLs allow works (several hosts, sslmode).
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
    set_up: dict[str, Any] = {"server_settings": SET_UP} if prepared else {"statement_cache_size": 0}
    whole: Any = timeout  # Fractions are as good, though asyncpg's types say otherwise.
    return partial(asyncpg.connect, dsn, timeout=whole, **set_up)


def _asyncpg_engine(opens: Opening, *, prepared: bool) -> Engine:
    # Statements without a name are parsed anew each time that they run, on whichever connection that is.
    nameless = {"prepared_statement_cache_size": 0, "prepared_statement_name_func": str}
    options: dict[str, Any] = {"connect_args": {} if prepared else nameless, **AUTOCOMMIT, **POOL, **QUIET}
    engine = create_async_engine("postgresql+asyncpg://", async_creator=opens, **options).sync_engine
    event.listen(engine, "checkout", _refuse_dead_on_loop)
    event.listen(engine, "close", _hang_up)
    return engine


def _watch_set_up(_connection: Any, record: Any) -> None:
    # SQLAlchemy asks a new connection this and that before anybody gets it.
    in_use[record.driver_connection] = monotonic()


def _watch_set_up_of_replica(connection: Any, record: Any) -> None:
    of_replicas.add(record.driver_connection)
    _watch_set_up(connection, record)


def _refuse_dead_on_loop(_connection: Any, record: Any, _fairy: object) -> None:
    # The event loop already knows that the database closed the connection; on this error the pool opens a new one.
    in_use.pop(record.driver_connection, None)
    if record.driver_connection.is_closed():
        raise DisconnectionError


def _refuse_dead_in_thread(connection: Any, _record: object, _fairy: object) -> None:
    in_use.pop(connection, None)
    # PostgreSQL says nothing to who asks nothing, unless it hangs up. To ask would take as long as a server hangs.
    ready = poll()
    ready.register(connection.fileno(), POLLIN)
    if ready.poll(0):
        raise DisconnectionError


def _hang_up(connection: Any, _record: object) -> None:
    # SQLAlchemy would say goodbye and wait two seconds for an answer, each time, if the server hangs.
    if not connection.driver_connection.is_closed():
        connection.driver_connection.terminate()
