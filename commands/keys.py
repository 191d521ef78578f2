"""`keys new`: a key that signs tokens."""

import click

from commands.refusing import Group
from security.key_file import new_key


@click.group(cls=Group)
def keys() -> None:
    """Make keys that sign tokens."""


@keys.command("new")
def print_new_key() -> None:
    """Print a new strong key, for JWT_SECRET_KEY.

    To change keys without ending logins, list the new key in JWT_PREVIOUS_KEYS of every server and restart each; then
    make it JWT_SECRET_KEY, with the old one in JWT_PREVIOUS_KEYS, and restart each again. Take the old one out after
    REFRESH_TOKEN_EXPIRE_DAYS.
    """
    click.echo(new_key())
