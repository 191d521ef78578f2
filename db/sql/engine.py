"""The database of this process: single statements in autocommit, the rest in transactions.

With PostgreSQL, a request runs in a greenlet on the event loop and waits for asyncpg there: its plain functions need no
`await`, and no worker threads contend for the GIL (measured: a request takes half the time). Work in a thread (password
hashing, migrations, tests, and with SQLite every request) uses a driver that blocks its thread.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from time import monotonic
from typing import Any, ClassVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session
from sqlalchemy.util.concurrency import in_greenlet

from db.sql.constraints import refuse_gone_account
from db.sql.faults import is_of_standby, refuse_fault, refuse_without_connection
from db.sql.postgresql import QUIET, in_threads, on_loop, replica_on_loop
from db.sql.sqlite import sqlite_engine
from db.sql.urls import driver_url
from db.sql.watch import BUDGET_SECONDS, begin_to_watch, give_back, in_use, note_silence, silence


class _Engines:
    in_threads: Engine
    on_loop: Engine | None = None
    replica: Engine | None = None
    kept: ClassVar[list[Connection]] = []
    """Connections of the event loop that stay out of the pool between single statements.

    A request runs two and more; each turn in the pool takes 25 µs. There are never more of them than requests at once,
    for a transaction puts one back before it takes its own.
    """


def connect(url: str, *, replica_url: str = "", prepared: bool = True) -> Engine:
    """Make `url` the database of this process and return its engine; no connection is opened yet.

    What may be a moment old is read from `replica_url`, if there is one (db/sql/replicas.py). Where a pooler in
    transaction mode keeps no prepared statements, `prepared` is false; that counts for both.
    """
    parsed = driver_url(url)
    _Engines.kept, _Engines.replica = [], None
    if parsed.get_backend_name() == "sqlite":
        _Engines.in_threads, _Engines.on_loop = sqlite_engine(parsed, **QUIET), None
    else:
        _Engines.in_threads, _Engines.on_loop = (
            in_threads(parsed, prepared=prepared),
            on_loop(parsed, prepared=prepared),
        )
        _Engines.replica = replica_on_loop(driver_url(replica_url), prepared=prepared) if replica_url else None
        begin_to_watch()
    return _Engines.in_threads


def disconnect() -> None:
    """Close all connections; call it in a greenlet on the event loop to close the loop's connections too."""
    while in_greenlet() and _Engines.kept:
        _Engines.kept.pop().close()
    _engine().dispose()
    if in_greenlet() and _Engines.replica is not None:
        _Engines.replica.dispose()
    _Engines.in_threads.dispose()


def waits_on_loop() -> bool:
    """Check whether requests run on the event loop and wait for the database there."""
    return _Engines.on_loop is not None


def replica_here() -> Engine | None:
    """Return the engine of the replicas, for a request on the event loop; None where there are none."""
    return _Engines.replica if in_greenlet() else None


def _engine() -> Engine:
    return _Engines.on_loop if _Engines.on_loop is not None and in_greenlet() else _Engines.in_threads


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
        _put_back(self.connection, error)
        if _Engines.on_loop is None:
            self.driver.deadline = inf
        if error is not None:
            refuse_gone_account(error)
            refuse_fault(error, hung_up=began is None and _Engines.on_loop is not None)


def _put_back(connection: Connection, error: BaseException | None) -> None:
    # Connections that lead to a server that has become a standby do so until they are closed.
    if error is not None and is_of_standby(error):
        connection.invalidate()
        if in_greenlet():
            _forget_kept()
    connection.close()


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
    failure: Exception | None = None
    try:
        with Session(connection, expire_on_commit=False) as session, session.begin():
            (_begin_on_sqlite if on_sqlite else _begin_on_postgresql)(session.connection(), driver, limited=limited)
            yield session
    except Exception as error:
        failure = error
        hung_up = not on_sqlite and limited and not give_back(driver)
        refuse_gone_account(error)
        refuse_fault(error, hung_up=hung_up)
        raise
    finally:
        give_back(driver)
        _put_back(connection, failure)
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
