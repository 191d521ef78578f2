"""`config`: what the server would run with."""

import os
import re
from collections.abc import Mapping

import click

from commands.database import connected
from commands.refusing import Command
from db.schema import pending
from environment import VARIABLES, misspelled, read_environment, text_of, values_in_file
from security.tokens import key_id
from settings import KEY_FILE, Settings, read_settings

MASK = "********"

_PASSWORD_IN_QUERY = re.compile(r"(?i)(?<=[?&])([a-z_]*(?:password|passwd|secret|token)[a-z_]*)=[^&]*")


@click.command(cls=Command)
def config() -> None:
    """Print all settings, and check that the server can start.

    Secrets are left out, and where a value is from is said. Exits with 1 if the server cannot start, and says why.
    """
    environment = read_environment()
    settings = read_settings(environment)
    for warning in misspelled(environment):
        click.echo(f"warning: {warning}", err=True)
    lines = [(f"{name}={value}", _source(name)) for name, value in _effective(settings, environment).items()]
    width = max(len(line) for line, _ in lines if len(line) <= 60)  # noqa: PLR2004
    for line, source in lines:
        click.echo(f"{line:<{width}}  # {source}")
    click.echo(f"# {_state_of_database(settings)}")


def _effective(settings: Settings, environment: Mapping[str, str]) -> dict[str, str]:
    """Return what each variable amounts to, for people to read."""
    values = {name: text_of(environment, name) for name in VARIABLES}
    values["ALLOWED_ORIGINS"] = ",".join(settings.allowed_origins)
    values["WORKERS"] = str(settings.workers)
    values["HTTPS_ONLY"] = str(settings.https_only).lower()
    values["JWT_SECRET_KEY"] = masked_key(settings.jwt_secret_key)
    values["JWT_PREVIOUS_KEYS"] = ",".join(masked_key(key) for key in settings.jwt_previous_keys)
    return {name: masked_url(value) if "://" in value else value for name, value in values.items()}


def masked_key(key: str) -> str:
    """Return what tells a key from others, and nothing of the key itself: what tokens call it."""
    return f"{MASK}(kid {key_id(key)})"


def masked_url(url: str) -> str:
    """Return a URL without the passwords in it, however they are written."""
    scheme, _, rest = url.partition("://")
    # A password may hold what it should not, so it goes on to the last @.
    credentials, at, place = rest.rpartition("@")
    user, colon, _ = credentials.partition(":")
    if scheme.startswith("redis") and at and not colon:
        user = MASK
    masked = f"{scheme}://{user}{f':{MASK}' if colon else ''}{at}{place}"
    return _PASSWORD_IN_QUERY.sub(rf"\1={MASK}", masked)


def _source(name: str) -> str:
    # Flask's command puts what `.env` has into the environment as well.
    in_file = values_in_file().get(name)
    if os.environ.get(name, in_file) != in_file:
        return "environment"
    if in_file:
        return ".env"
    return f"kept in {KEY_FILE}" if name == "JWT_SECRET_KEY" else "default"


def _state_of_database(settings: Settings) -> str:
    if settings.database_file is not None and not settings.database_file.exists():
        return "The database is not there yet; the first start makes it."
    with connected(settings) as engine:
        missing = pending(engine)
    if missing and not settings.migrate:
        raise click.ClickException(f"the database lacks {', '.join(missing)}, and with MIGRATE=false no start adds it")
    if missing:
        return f"The database answers; the next start adds {', '.join(missing)}."
    return "The database answers, and its schema is current."
