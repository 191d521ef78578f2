"""The database of this process: single statements in autocommit, the rest in transactions.

With PostgreSQL, a request runs in a greenlet on the event loop and waits for asyncpg there: its plain functions need no
`await`, and no worker threads contend for the GIL (measured: a request takes half the time). Work in a thread (password
hashing, migrations, tests, and with SQLite every request) uses a driver that blocks its thread.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import asyncpg
from sqlalchemy import Connection, Engine, create_engine, event, make_url, text
from sqlalchemy.engine import URL
from sqlalchemy.exc import DBAPIError, DisconnectionError, IntegrityError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.orm import Session
from sqlalchemy.util.concurrency import in_greenlet

from db.sql.constraints import refuse_gone_account

CONNECT_TIMEOUT_SECONDS = 2
LOCK_TIMEOUT_MILLISECONDS = 5_000

AT_ONCE = 12
"""How many requests may use the database at once. There is a connection for each, and one more for `ping`."""

KEPT_OPEN = 8
POOL = {"pool_size": KEPT_OPEN, "max_overflow": AT_ONCE + 1 - KEPT_OPEN, "pool_timeout": CONNECT_TIMEOUT_SECONDS}

DEFAULT_PORT = "5432"
_SEVERAL_HOSTS = re.compile(r"^(\w[\w+]*://(?:[^@]*@)?)([^/?#@]*,[^/?#@]*)(?!.*@)")

# Autocommit saves each read two round trips, BEGIN and ROLLBACK; `transaction` sets its own isolation level.
AUTOCOMMIT = {"isolation_level": "AUTOCOMMIT", "skip_autocommit_rollback": True}

# Error messages leave out the statement's parameters, which may be a password hash or what a person wrote.
QUIET = {"hide_parameters": True}


class _Engines:
    in_threads: Engine
    on_loop: Engine | None
    kept: ClassVar[list[Connection]] = []
    """Connections of the event loop that stay out of the pool between single statements.

    A request runs two and more; each turn in the pool takes 25 µs. There are never more of them than requests at once,
    for a transaction puts one back before it takes its own.
    """


def driver_url(url: str) -> URL:
    """Return a database URL with the driver that this project uses, whichever PostgreSQL driver it names.

    Raises `ValueError` for a database that is neither PostgreSQL nor an SQLite file (an SQLite database in memory would
    be another one in each thread).
    """
    parsed = _parsed(url)
    match parsed.get_backend_name():
        case "postgresql" | "postgres":
            return _with_sslmode(parsed).set(drivername="postgresql+psycopg")
        case "sqlite" if parsed.database not in (None, "", ":memory:"):
            return parsed.set(drivername="sqlite")
    raise ValueError("the database has to be PostgreSQL or a file of SQLite's")


def _parsed(url: str) -> URL:
    # libpq's URLs list several hosts before the path, SQLAlchemy's as `host=a:1&host=b:2`. Both drivers understand
    # `host=a,b&port=1,2`.
    before_path = _SEVERAL_HOSTS.match(url)
    parsed = make_url(_SEVERAL_HOSTS.sub(r"\1", url))
    hosts = before_path[2] if before_path else parsed.query.get("host", "")
    places = (hosts if isinstance(hosts, str) else ",".join(hosts)).split(",")
    if len(places) == 1 or "port" in parsed.query:
        return parsed
    names, _, ports = zip(*(place.partition(":") for place in places), strict=True)
    return parsed.update_query_dict({"host": ",".join(names), "port": ",".join(port or DEFAULT_PORT for port in ports)})


def _with_sslmode(url: URL) -> URL:
    # What libpq's URLs and asyncpg's own call `sslmode`, SQLAlchemy's URLs for asyncpg call `ssl`.
    if "ssl" not in url.query:
        return url
    mode = {"true": "require"}.get(str(url.query["ssl"]), url.query["ssl"])
    return url.difference_update_query(["ssl"]).update_query_dict({"sslmode": mode})


def connect(url: str) -> Engine:
    """Make `url` the database of this process and return its engine; no connection is opened yet."""
    parsed = driver_url(url)
    _Engines.kept = []
    if parsed.get_backend_name() == "sqlite":
        _Engines.in_threads, _Engines.on_loop = _sqlite(parsed), None
    else:
        _Engines.in_threads, _Engines.on_loop = _postgresql(parsed), _postgresql_on_loop(parsed)
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
    arguments = {"connect_timeout": CONNECT_TIMEOUT_SECONDS, "options": "-c timezone=UTC"}
    # The work done in threads is rare or slow, so it can afford to test a connection before using it.
    return create_engine(url, connect_args=arguments, pool_pre_ping=True, **AUTOCOMMIT, **POOL, **QUIET)


def _postgresql_on_loop(url: URL) -> Engine:
    # asyncpg reads the URL itself, so everything that PostgreSQL URLs allow works (several hosts, sslmode).
    dsn = url.set(drivername="postgresql").render_as_string(hide_password=False)
    creator = partial(asyncpg.connect, dsn, timeout=CONNECT_TIMEOUT_SECONDS, server_settings={"timezone": "UTC"})
    options = AUTOCOMMIT | POOL | QUIET
    engine = create_async_engine("postgresql+asyncpg://", async_creator=creator, **options).sync_engine
    event.listen(engine, "checkout", _refuse_dead_connection)
    return engine


def _refuse_dead_connection(_connection: Any, record: Any, _fairy: object) -> None:
    # The event loop already knows that the database closed the connection; on this error the pool opens a new one.
    if record.driver_connection.is_closed():
        raise DisconnectionError


def _sqlite(url: URL) -> Engine:
    if url.database:
        Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, **QUIET)
    event.listen(engine, "connect", _prepare_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    # The driver must not begin transactions by itself: `transaction` does so, and takes the write lock at once.
    connection.isolation_level = None
    for pragma in (f"busy_timeout={LOCK_TIMEOUT_MILLISECONDS}", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")
    _write_ahead(connection)


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


class autocommit:  # noqa: N801 (it is called where a connection is needed, as a function is)
    """Open a connection for statements that each stand for themselves: reads, and writes that are one statement.

    Raises `AccountGone` when a row is added for an account that was deleted meanwhile.
    """

    def __enter__(self) -> Connection:
        """Take a connection that is kept open, or one out of the pool."""
        engine = _engine()
        self.kept = _Engines.kept if engine is _Engines.on_loop else None
        self.connection = _living(self.kept or []) or engine.connect()
        return self.connection

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        """Keep it open, or put it back."""
        # Those that are kept belong to the event loop; no thread may close them.
        if self.kept is not None and self.connection.invalidated:
            _forget_kept()
        if error is None and self.kept is _Engines.kept and not self.connection.invalidated:
            _Engines.kept.append(self.connection)
            return
        self.connection.close()
        if error is not None:
            refuse_gone_account(error)


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
def transaction() -> Iterator[Session]:
    """Open a session in one transaction: returning commits, raising rolls back.

    SQLite's write lock is taken at the beginning, so what was read cannot change before it is written.
    Raises `AccountGone` when a row is added for an account that was deleted meanwhile.
    """
    engine = _engine()
    if engine is _Engines.on_loop and _Engines.kept:
        _Engines.kept.pop().close()
    on_sqlite = engine.dialect.name == "sqlite"
    bind = engine if on_sqlite else engine.execution_options(isolation_level="READ COMMITTED")
    try:
        with Session(bind, expire_on_commit=False) as session, session.begin():
            if on_sqlite:
                session.connection().exec_driver_sql("BEGIN IMMEDIATE")
            yield session
    except IntegrityError as error:
        refuse_gone_account(error)
        raise


def is_disconnect(error: BaseException) -> bool:
    """Check whether a statement failed because its connection broke, so that a second try may succeed."""
    return isinstance(error, DBAPIError) and error.connection_invalidated


def ping() -> None:
    """Check that the database answers. Raises SQLAlchemy's error when it does not."""
    with autocommit() as connection:
        connection.execute(text("SELECT 1"))
