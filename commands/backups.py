"""`backup` and `restore`: a copy of all that is stored, made while the server serves, and put back."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile

import click

import clock
from commands.database import connected
from commands.refusing import Command
from db.backups import postgresql, sqlite
from db.backups.errors import BackupError
from db.schema import pending, revisions_after
from db.sql.sqlite import sqlite_engine
from db.sql.urls import driver_url
from private_files import FILE_MODE, make_folder
from settings import Settings, read_settings

file_argument = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
existing_file = click.argument("file", type=click.Path(path_type=Path, dir_okay=False, exists=True))


@click.command(cls=Command)
@file_argument
@click.option("--force", is_flag=True, help="Overwrite the file if it is there.")
def backup(file: Path, *, force: bool) -> None:
    """Copy the database into FILE, while the server serves.

    With PostgreSQL by pg_dump, in its custom format.
    """
    settings = read_settings()
    _refuse_target(file, settings, force=force)
    with connected(settings) as engine, _draft_beside(file) as draft:
        if settings.database_file is None:
            postgresql.dump(settings.database_url, engine, draft)
        else:
            _copy(settings.database_file, draft)
            sqlite.check_database(draft)
        if force:
            draft.replace(file)
        else:
            os.link(draft, file)  # Fails if somebody else has made it meanwhile.
    click.echo(f"The backup is {file}, {file.stat().st_size / 1_000_000:.1f} MB.")


@click.command(cls=Command)
@existing_file
@click.option("--yes", is_flag=True, help="Do not ask.")
def restore(file: Path, *, yes: bool) -> None:
    """Put a backup in the place of the database, while no server runs.

    An SQLite database that was there is kept beside it, under another name. Logins that have ended since the backup
    stand again: see JWT_SECRET_KEY for how to end all.
    """
    settings = read_settings()
    if settings.database_file is None:
        _restore_postgresql(file, settings, yes=yes)
    else:
        _restore_sqlite(file, settings.database_file, yes=yes)


def _refuse_target(file: Path, settings: Settings, *, force: bool) -> None:
    if settings.database_file is not None and file.resolve() == settings.database_file.resolve():
        raise BackupError(f"{file} is the database itself")
    if file.exists() and not force:
        raise BackupError(f"{file} is there already; --force overwrites it")


@contextmanager
def _draft_beside(file: Path) -> Iterator[Path]:
    """Make a file that is its owner's alone in the folder of another one; what is not moved away is deleted."""
    with NamedTemporaryFile(dir=file.absolute().parent, prefix=f".{file.name}.", delete=False) as made:
        draft = Path(made.name)
    try:
        draft.chmod(FILE_MODE)
        yield draft
    finally:
        draft.unlink(missing_ok=True)


def _copy(source: Path, copy: Path) -> None:
    with click.progressbar(length=1, label="Copying") as bar:

        def note(done: int, pages: int) -> None:
            bar.length = pages
            bar.update(done - bar.pos)

        sqlite.copy_database(source, copy, note=note)


def _restore_sqlite(file: Path, database: Path, *, yes: bool) -> None:
    make_folder(database.parent)
    with _draft_beside(database) as draft:
        _copy(file, draft)
        sqlite.check_database(draft)
        missing = _pending_in(draft)
        if database.exists() and not yes:
            click.confirm(f"Put {file} in the place of {database}?", abort=True)
        kept = database.with_name(f"{database.name}.before-restore-{clock.now():%Y%m%dT%H%M%SZ}")
        was_there = sqlite.put_in_place(draft, database, kept=kept)
    click.echo(f"{database} is restored{f'; what was there is {kept}' if was_there else ''}.")
    _say_what_is_pending(missing)


def _pending_in(file: Path) -> list[str]:
    engine = sqlite_engine(driver_url(f"sqlite:///{file}"))
    try:
        return pending(engine)
    finally:
        engine.dispose()


def _restore_postgresql(file: Path, settings: Settings, *, yes: bool) -> None:
    revision = postgresql.revision_in(file)
    with connected(settings) as engine:
        with engine.connect() as connection:
            missing = revisions_after(revision, connection)
        others = postgresql.others_connected(engine)
        if not yes:
            servers = f"{others} connections to it are open: stop the servers first. " if others else ""
            click.confirm(f"{servers}Put {file} (schema {revision}) in the place of the database?", abort=True)
        engine.dispose()
        postgresql.load(settings.database_url, file)
        _say_what_is_pending(missing)
    click.echo("The database is restored.")


def _say_what_is_pending(missing: list[str]) -> None:
    if missing:
        click.echo(f"The backup is of an earlier version: `migrate`, or the next start, adds {', '.join(missing)}.")
