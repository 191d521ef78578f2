"""The schema: all models in one place, and the migrations that create their tables and change them.

`docs/operations.md` ("Changing the schema") has the rule that revisions follow, `db/migrations/steps.py` its verbs.
"""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from os import pathsep
from pathlib import Path
from time import sleep

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, event, text
from sqlalchemy.exc import OperationalError

# Importing every module with models or indexes fills the metadata.
from db import personal_anchor  # noqa: F401
from db.accounts import accounts, login_attempts, logins, refresh_chain  # noqa: F401
from db.focus import sessions, standings, stats  # noqa: F401
from db.sql.types import Base
from db.tasks import categories, lists, recurrence, tags, tasks  # noqa: F401

metadata = Base.metadata

MIGRATIONS = Path(__file__).parent / "migrations"
FOLDERS = [MIGRATIONS / "versions"]

REVISION = re.compile(r"(?P<number>\d{4})_fits_(?P<oldest>\d{4})")
"""A revision's id is its number, and the oldest number that a server has to know to run on the schema it leaves."""

LOCK_TIMEOUT_MILLISECONDS = 500
"""How long a change waits for a table that others use: everybody who comes after it waits just as long."""

TRIES, PAUSE_SECONDS = 150, 2.0
"""Who reads a whole table for less than five minutes, as a backup does, is waited for."""

_TURN_SECONDS = 0.2
_TRY_TO_LOCK = text("SELECT pg_try_advisory_xact_lock(:lock)").bindparams(lock=0x51_17_7E_7)
# Names that a version of PostgreSQL does not know are not in the list.
_STAY_OPEN = text(
    "SELECT set_config(name, '0', true) FROM pg_settings"
    " WHERE name IN ('idle_in_transaction_session_timeout', 'transaction_timeout')"
)
_PASSING = {"55P03", "40P01"}
"""PostgreSQL's states of a lock that was not to be had in time, and of a deadlock."""

_log = logging.getLogger("quintet")


class SchemaError(Exception):
    """The database cannot be migrated to this version's schema."""


def migrate(engine: Engine) -> None:
    """Migrate the database to the newest revision; processes that start at the same time wait for each other.

    Raises `SchemaError` for a database on whose schema this version cannot run, and for one whose tables are in use
    all the time.
    """
    if not pending(engine):
        return
    if engine.dialect.name == "postgresql":
        with _turn(engine), _changing(engine) as connection:
            _upgrade_patiently(connection)
    else:
        with engine.connect() as connection:
            _upgrade_at_once(connection)


def pending(engine: Engine) -> list[str]:
    """List the revisions that the database lacks, oldest first, and change nothing.

    A newer version's schema lacks nothing as long as this version can run on it: servers of both run side by side
    while they are renewed, and the older one can come back. Raises `SchemaError` where it cannot.
    """
    with engine.connect() as connection:
        current = MigrationContext.configure(connection).get_current_revision()
        scripts = ScriptDirectory.from_config(config_for(connection))
    revisions = [script.revision for script in scripts.walk_revisions()][::-1]
    if current is None or current in revisions:
        return revisions if current is None else revisions[revisions.index(current) + 1 :]
    newer = REVISION.fullmatch(current)
    if newer and newer["oldest"] <= revisions[-1][:4] < newer["number"]:
        return []
    raise SchemaError(f"the database has another version's tables: this version cannot run on revision {current}")


def _upgrade_at_once(connection: Connection) -> None:
    # SQLite has one writer anyway: one transaction around all, begun by hand, so that what fails leaves nothing behind.
    connection.execute(text("BEGIN IMMEDIATE"))
    try:
        command.upgrade(config_for(connection), "head")
        connection.execute(text("COMMIT"))
    except BaseException:
        connection.execute(text("ROLLBACK"))
        raise


@contextmanager
def _turn(engine: Engine) -> Iterator[None]:
    """Wait until no other process migrates, and keep the others waiting meanwhile.

    The lock belongs to a transaction, for behind a pooler a session is nobody's own. Nobody stays in a transaction
    while waiting, and whoever has the lock keeps no snapshot: building an index waits for everyone who does.
    """
    with engine.connect().execution_options(isolation_level="READ COMMITTED") as connection:
        while not connection.scalar(_TRY_TO_LOCK):
            connection.rollback()
            sleep(_TURN_SECONDS)
        connection.execute(_STAY_OPEN)
        yield


@contextmanager
def _changing(engine: Engine) -> Iterator[Connection]:
    """Open a connection whose transactions may last, but give up soon where they would have to wait for a lock."""
    with engine.connect().execution_options(isolation_level="READ COMMITTED") as connection:
        event.listen(connection, "begin", _set_limits)
        try:
            yield connection
        finally:
            connection.invalidate()  # It closes, rather than being given to a request.


def _set_limits(connection: Connection) -> None:
    if connection.get_execution_options()["isolation_level"] != "AUTOCOMMIT":
        connection.exec_driver_sql(
            f"SET LOCAL statement_timeout = 0; SET LOCAL lock_timeout = {LOCK_TIMEOUT_MILLISECONDS}"
        )


def _upgrade_patiently(connection: Connection) -> None:
    for _ in range(TRIES):
        try:
            command.upgrade(config_for(connection), "head")
        except OperationalError as error:
            if getattr(error.orig, "sqlstate", None) not in _PASSING:
                raise
            _log.warning("A migration waits for a table that is in use")
            connection.rollback()
            sleep(PAUSE_SECONDS)
        else:
            return
    raise SchemaError("a transaction that does not end keeps a table from being migrated; what was done is kept")


def config_for(connection: Connection) -> Config:
    """Configure Alembic to work over a connection."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    config.set_main_option("version_locations", pathsep.join(map(str, FOLDERS)))
    config.attributes["connection"] = connection
    return config
