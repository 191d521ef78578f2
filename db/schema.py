"""The schema: all models in one place, and the migrations that create their tables."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, text

# Importing every module with models or indexes fills the metadata.
from db import personal_anchor  # noqa: F401
from db.accounts import accounts, login_attempts, logins, refresh_chain  # noqa: F401
from db.focus import sessions, standings, stats  # noqa: F401
from db.sql.engine import unlimited
from db.sql.types import Base
from db.tasks import categories, lists, recurrence, tags, tasks  # noqa: F401

metadata = Base.metadata

_MIGRATION_LOCK = 0x51_17_7E_7


class SchemaError(Exception):
    """The database cannot be migrated to this version's schema."""


def migrate(engine: Engine) -> None:
    """Migrate the database to the newest revision; processes that start at the same time wait for each other.

    Raises `SchemaError` for a database that a newer version has migrated.
    """
    with unlimited(engine) as connection:
        try:
            if not _is_current(connection):
                _upgrade(connection)
        except CommandError as error:
            raise SchemaError(f"the database has another version's tables: {error}") from error


def _is_current(connection: Connection) -> bool:
    newest = ScriptDirectory.from_config(config_for(connection)).get_current_head()
    return MigrationContext.configure(connection).get_current_revision() == newest


def _upgrade(connection: Connection) -> None:
    # One transaction around all migrations, begun by hand: a migration that fails leaves nothing behind.
    connection.rollback()
    on_postgresql = connection.dialect.name == "postgresql"
    connection.execute(text("BEGIN" if on_postgresql else "BEGIN IMMEDIATE"))
    try:
        if on_postgresql:
            connection.execute(text(f"SELECT pg_advisory_xact_lock({_MIGRATION_LOCK})"))
        command.upgrade(config_for(connection), "head")
        connection.execute(text("COMMIT"))
    except BaseException:
        connection.execute(text("ROLLBACK"))
        raise


def config_for(connection: Connection) -> Config:
    """Configure Alembic to work over a connection."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    config.attributes["connection"] = connection
    return config
