"""The environment: each variable with its default and its meaning, and how texts are read from it."""

import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from io import StringIO
from pathlib import Path

from dotenv import dotenv_values
from dotenv.parser import parse_stream

ROOT = Path(__file__).parent
DEFAULT_DATABASE = ROOT / "var" / "quintet.db"
DEFAULT_DATABASE_URL = f"sqlite:///{DEFAULT_DATABASE}"
IN_MEMORY = "memory://"

VARIABLES = {
    "HOST": ("127.0.0.1", "address to listen on"),
    "PORT": ("8000", "port to listen on; 0: any that is free"),
    "WORKERS": ("", "processes that serve; with PostgreSQL as many as cores, with SQLite 1"),
    "KEEP_ALIVE": ("75", "seconds that a connection without requests stays open: longer than a proxy's"),
    "DATABASE_URL": (DEFAULT_DATABASE_URL, "postgresql://..., or sqlite:///... with a file in a folder that is there"),
    "DATABASE_REPLICA_URL": ("", "postgresql://... of replicas, which leaderboards and the summary are read from"),
    "PREPARED_STATEMENTS": ("true", "false where a pooler in transaction mode keeps none (PgBouncer before 1.21)"),
    "MIGRATE": ("true", "migrates the database to this version's schema at the start"),
    "JWT_SECRET_KEY": ("", "signs tokens; required with PostgreSQL, else made at the first start and kept in var/"),
    "JWT_PREVIOUS_KEYS": ("", "keys that tokens were signed with before, separated by commas; valid until they expire"),
    "JWT_ALGORITHM": ("HS256", "or HS384, HS512"),
    "ACCESS_TOKEN_EXPIRE_MINUTES": ("15", "how long an access token is valid"),
    "REFRESH_TOKEN_EXPIRE_DAYS": ("7", "how long a refresh token, and with it a login, is valid"),
    "ALLOWED_ORIGINS": (
        "http://localhost:5173,http://localhost:3000",
        "web origins that may read answers (CORS), separated by commas; *: all, without credentials",
    ),
    "RATE_LIMIT_PER_MINUTE": ("60", "requests a minute to FocusGuard by an account or else an address; 0: no limit"),
    "RATE_LIMIT_STORAGE_URL": (IN_MEMORY, "where they are counted; redis://host:6379/0 counts for several processes"),
    "DEBUG": ("false", "with PostgreSQL, lets the key be weak or missing"),
    "FORWARDED_ALLOW_IPS": ("", "proxies whose X-Forwarded-For, -Proto and -Host are trusted"),
    "HTTPS_ONLY": ("", "refuses plain HTTP; true with PostgreSQL, false with SQLite or DEBUG"),
    "DEMO": ("false", "shows a button on the home page that makes a demo account"),
    "LOG_LEVEL": ("info", "least level of what is logged: debug, info, warning, error; requests are info"),
    "METRICS": ("false", "serves metrics for Prometheus at /metrics"),
    "METRICS_ALLOW_IPS": ("127.0.0.1,::1", "addresses and networks that may read them, separated by commas"),
    "OTEL_EXPORTER_OTLP_ENDPOINT": (
        "",
        "http://host:4318 of an OpenTelemetry collector that gets a trace of each request",
    ),
}
"""Each variable's default, where it has a fixed one, and what it is for."""

SIMILARITY_OF_A_SLIP = 0.85
"""Where difflib takes one name for another: a wrong letter or two in a long one. `PGPORT` and `HOSTNAME` are others."""


class SettingError(Exception):
    """A variable has a value that cannot be used; the message names the variable, never a secret."""


def read_environment() -> dict[str, str]:
    """Read the environment and, below it, the file `.env`. Raises `SettingError`."""
    return {**values_in_file(), **os.environ}


def values_in_file() -> dict[str, str]:
    """Read the file `.env`, where there is one. Raises `SettingError`."""
    try:
        text = (ROOT / ".env").read_text(encoding="utf-8")
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeError) as error:
        raise SettingError(".env cannot be read as a file in UTF-8") from error
    _refuse_broken_lines(text)
    return {name: value for name, value in dotenv_values(stream=StringIO(text)).items() if value is not None}


def _refuse_broken_lines(text: str) -> None:
    for statement in parse_stream(StringIO(text)):
        if statement.error:
            # A statement begins with the blank lines above it.
            source = statement.original.string
            number = statement.original.line + source[: len(source) - len(source.lstrip())].count("\n")
            raise SettingError(f".env, line {number}: this has to be NAME=value, with every quotation mark closed")


def misspelled(names: Iterable[str]) -> list[str]:
    """Return a warning about each unknown variable whose name differs by little from a known one."""
    likely = {name: get_close_matches(name.upper(), VARIABLES, n=1, cutoff=SIMILARITY_OF_A_SLIP) for name in names}
    return [
        f"unknown variable {name!r}; did you mean {known[0]}?"
        for name, known in likely.items()
        if known and name not in VARIABLES
    ]


def text_of(values: Mapping[str, str], name: str) -> str:
    """Return what a variable is set to, or else its default. Raises `SettingError`."""
    default, _ = VARIABLES[name]
    text = values.get(name) or default
    if not text.isprintable():
        raise SettingError(f"{name} has to be plain text in UTF-8")
    return text


def number_of(values: Mapping[str, str], name: str, least: int, most: int) -> int:
    """Return the whole number that a variable is set to. Raises `SettingError`."""
    text = text_of(values, name)
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and least <= int(text) <= most):
        raise SettingError(f"{name} has to be a whole number from {least} to {most}")
    return int(text)


def flag_of(values: Mapping[str, str], name: str) -> bool:
    """Return whether a variable is set to yes. Raises `SettingError`."""
    words = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    word = text_of(values, name).lower()
    if word not in words:
        raise SettingError(f"{name} has to be true or false")
    return words[word]
