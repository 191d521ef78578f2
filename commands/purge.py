"""`purge`: what no longer decides whether a token or a password counts."""

from collections import Counter
from time import perf_counter, sleep

import click

import clock
from commands.database import current_database
from commands.refusing import Command
from db.accounts.purging import KINDS, purge_some

PAUSE_SECONDS = 0.05


@click.command(cls=Command)
def purge() -> None:
    """Delete ended logins, old attempts, and spent tokens.

    The server does so by itself once an hour, in short steps beside its requests, and so does this command.
    """
    deleted = Counter[str]()
    with current_database() as settings:
        while True:
            began = perf_counter()
            some = purge_some(at=clock.now(), access_lifetime=settings.access_lifetime)
            if some is not None and not some:
                break
            deleted += some or Counter()
            # A server may be at it: it takes its step, and this one the next. Half of the time belongs to requests.
            sleep(PAUSE_SECONDS if some is None else perf_counter() - began)
    for kind in KINDS:
        click.echo(f"{deleted[kind]} {kind} deleted")
