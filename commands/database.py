"""The database that the settings name, for as long as a command takes."""

from collections.abc import Iterator
from contextlib import contextmanager

import click
from sqlalchemy import Engine

from db.schema import pending
from db.sql.engine import connect, disconnect
from private_files import make_database
from settings import Settings, read_settings


@contextmanager
def connected(settings: Settings) -> Iterator[Engine]:
    """Connect this process to a database that is there. Raises `ClickException`."""
    file = settings.database_file
    if file is not None and not file.exists():
        raise click.ClickException(f"there is no database {file} yet: a start of the server or `migrate` makes it")
    engine = connect(settings.database_url, **settings.connection_options)
    try:
        yield engine
    finally:
        disconnect()


@contextmanager
def current_database() -> Iterator[Settings]:
    """Connect to the database, whose schema has to be this version's. Raises `ClickException` and `SettingError`."""
    settings = read_settings()
    with connected(settings) as engine:
        if missing := pending(engine):
            raise click.ClickException(f"the database lacks {', '.join(missing)}: `migrate` comes first")
        yield settings


@contextmanager
def database_to_be() -> Iterator[Engine]:
    """Connect to the database, which is made where it is a file that is not there. Raises `SettingError`."""
    settings = read_settings()
    make_database(settings.database_file)
    with connected(settings) as engine:
        yield engine
