"""The database of this process: single statements in autocommit, the rest in transactions.

With PostgreSQL, a request runs in a greenlet on the event loop and waits for asyncpg there: its plain functions need no
`await`, and no worker threads contend for the GIL (measured: a request takes half the time). Work in a thread (password
hashing, migrations, tests, and with SQLite every request) uses a driver that blocks its thread.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from math import inf
from select import POLLIN, poll
from time import monotonic
from typing import Any, ClassVar

import asyncpg
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DisconnectionError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.util.concurrency import in_greenlet

from db.sql.constraints import refuse_gone_account
from db.sql.faults import refuse_fault, refuse_without_connection
from db.sql.sqlite import sqlite_engine
from db.sql.urls import driver_url
from db.sql.watch import (
    BUDGET_SECONDS,
    CONNECT_TIMEOUT_SECONDS,
    STATEMENT_TIMEOUT_MILLISECONDS,
    begin_to_watch,
    give_back,
    in_use,
    note_answer,
    note_silence,
    silence,
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


class _Engines:
    in_threads: Engine
    on_loop: Engine | None = None
    kept: ClassVar[list[Connection]] = []
    """Connections of the event loop that stay out of the pool between single statements.

    A request runs two and more; each turn in the pool takes 25 µs. There are never more of them than requests at once,
    for a transaction puts one back before it takes its own.
    """


def connect(url: str) -> Engine:
    """Make `url` the database of this process and return its engine; no connection is opened yet."""
    parsed = driver_url(url)
    _Engines.kept = []
    if parsed.get_backend_name() == "sqlite":
        _Engines.in_threads, _Engines.on_loop = sqlite_engine(parsed, **QUIET), None
    else:
        _Engines.in_threads, _Engines.on_loop = _postgresql(parsed), _postgresql_on_loop(parsed)
        begin_to_watch()
    return _Engines.in_threads


def disconnect() -> None:
    """Close all connections; call it in a greenlet on the event loop to close the loop's connections too."""
    while in_greenlet() and _Engines.kept:
        _Engines.kept.pop().close()
    _engine().dispose()
    _Engines.in_threads.dispose()


def waits_on_loop() -> bool:
    """Check whether requests run on the event loop and wait for the database there."""
    return _Engines.on_loop is not None


def _engine() -> Engine:
    return _Engines.on_loop if _Engines.on_loop is not None and in_greenlet() else _Engines.in_threads


def _postgresql(url: URL) -> Engine:
    # libpq waits two seconds at least.
    options = " ".join(f"-c {name}={value}" for name, value in SET_UP.items())
    engine = create_engine(url, connect_args={"connect_timeout": 2, "options": options}, **AUTOCOMMIT, **POOL, **QUIET)
    event.listen(engine, "connect", _watch_set_up, insert=True)
    event.listen(engine, "checkout", _refuse_dead_in_thread)
    event.listen(engine, "after_cursor_execute", note_answer)
    return engine


def _postgresql_on_loop(url: URL) -> Engine:
    # asyncpg reads the URL itself, so everything that PostgreSQL URLs allow works (several hosts, sslmode).
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
    timeout: Any = CONNECT_TIMEOUT_SECONDS  # Fractions are as good, though asyncpg's types say otherwise.
    creator = partial(asyncpg.connect, dsn, timeout=timeout, server_settings=SET_UP)
    options = AUTOCOMMIT | POOL | QUIET
    engine = create_async_engine("postgresql+asyncpg://", async_creator=creator, **options).sync_engine
    event.listen(engine, "connect", _watch_set_up, insert=True)
    event.listen(engine, "checkout", _refuse_dead_on_loop)
    event.listen(engine, "after_cursor_execute", note_answer)
    event.listen(engine, "close", _hang_up)
    return engine


def _watch_set_up(_connection: Any, record: Any) -> None:
    # SQLAlchemy asks a new connection this and that before anybody gets it.
    in_use[record.driver_connection] = monotonic()


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


class autocommit:  # noqa: N801 (it is called where a connection is needed, as a function is)
    """Open a connection for statements that each stand for themselves: reads, and writes that are one statement.

    Raises `AccountGone` when a row is added for an account that was deleted meanwhile, and `Unavailable` when the
    database cannot do now what it is asked for.
    """

    def __enter__(self) -> Connection:
        """Take a connection that is kept open, or one out of the pool."""
        engine = _engine()
        self.kept = _Engines.kept if engine is _Engines.on_loop else None
        self.connection = _living(self.kept or []) or _connected(engine)
        self.driver: Any = self.connection.connection.driver_connection
        if _Engines.on_loop is None:
            self.driver.deadline = monotonic() + BUDGET_SECONDS
        else:
            in_use[self.driver] = monotonic()
        return self.connection

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Keep it open, or put it back."""
        began = in_use.pop(self.driver, None)
        if began is not None:
            silence.last_answer, silence.until = monotonic(), 0.0
        # Those that are kept belong to the event loop; no thread may close them.
        if self.kept is not None and self.connection.invalidated:
            _forget_kept()
        if error is None and began is not None and self.kept is _Engines.kept and not self.connection.invalidated:
            _Engines.kept.append(self.connection)
            return
        self.connection.close()
        if _Engines.on_loop is None:
            self.driver.deadline = inf
        if error is not None:
            refuse_gone_account(error)
            refuse_fault(error, hung_up=began is None and _Engines.on_loop is not None)


def _connected(engine: Engine) -> Connection:
    """Take a connection out of the pool. Raises `Unavailable`."""
    # While it is being opened there is nothing to hang up; but it counts when a database is found hanging.
    opening = object()
    if _Engines.on_loop is not None:
        in_use[opening] = monotonic()
    try:
        return engine.connect()
    except Exception as error:
        if isinstance(error, TimeoutError):
            note_silence()
        refuse_without_connection(error)
        raise
    finally:
        in_use.pop(opening, None)


def _living(kept: list[Connection]) -> Connection | None:
    while kept:
        connection = kept.pop()
        if not connection.connection.driver_connection.is_closed():  # type: ignore[union-attr]
            return connection
        connection.invalidate()
        connection.close()
    return None


def _forget_kept() -> None:
    # The database hung up on one connection: the others have most likely gone the same way, those in use too, and
    # whoever took one while this was the list does not put it into the next one.
    forgotten, _Engines.kept = _Engines.kept, []
    for connection in forgotten:
        connection.invalidate()
        connection.close()


@contextmanager
def transaction(*, limited: bool = True) -> Iterator[Session]:
    """Open a session in one transaction: returning commits, raising rolls back.

    SQLite's write lock is taken at the beginning, so what was read cannot change before it is written. What no request
    waits for need not be `limited`: it may take as long as it takes.
    Raises `AccountGone` when a row is added for an account that was deleted meanwhile, and `Unavailable` when the
    database cannot do now what it is asked for.
    """
    engine = _engine()
    if engine is _Engines.on_loop and _Engines.kept:
        _Engines.kept.pop().close()
    on_sqlite = _Engines.on_loop is None
    connection = _connected(engine if on_sqlite else engine.execution_options(isolation_level="READ COMMITTED"))
    driver: Any = connection.connection.driver_connection
    try:
        with Session(connection, expire_on_commit=False) as session, session.begin():
            (_begin_on_sqlite if on_sqlite else _begin_on_postgresql)(session.connection(), driver, limited=limited)
            yield session
    except Exception as error:
        hung_up = not on_sqlite and limited and not give_back(driver)
        refuse_gone_account(error)
        refuse_fault(error, hung_up=hung_up)
        raise
    finally:
        give_back(driver)
        connection.close()
        if on_sqlite:
            driver.deadline = inf


def _begin_on_sqlite(connection: Connection, driver: Any, *, limited: bool) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE")
    # SQLite's own timeout counts while it waits for the lock; this one begins when it has that.
    driver.deadline = monotonic() + BUDGET_SECONDS if limited else inf


def _begin_on_postgresql(connection: Connection, driver: Any, *, limited: bool) -> None:
    if limited:
        in_use[driver] = monotonic()
    else:
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")


def ping() -> None:
    """Check that the database answers. Raises `Unavailable` when it does not."""
    with autocommit() as connection:
        connection.execute(text("SELECT 1"))
