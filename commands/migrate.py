"""`migrate`: the schema, brought up to date before a start, or looked at."""

import click

from commands.database import connected, database_to_be
from commands.refusing import Command
from db import schema
from settings import read_settings


@click.command(cls=Command)
@click.option("--check", is_flag=True, help="Change nothing; exit with 1 if something is pending.")
def migrate(*, check: bool) -> None:
    """Migrate the database to this version's schema, as a start does."""
    if check:
        _check()
        return
    with database_to_be() as engine:
        missing = schema.pending(engine)
        schema.migrate(engine)
    for revision in missing:
        click.echo(f"migrated: {revision}")
    click.echo("The schema is current.")


def _check() -> None:
    with connected(read_settings()) as engine:
        missing = schema.pending(engine)
    for revision in missing:
        click.echo(f"pending: {revision}")
    if missing:
        raise SystemExit(1)
    click.echo("The schema is current.")
