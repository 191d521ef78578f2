"""The environment: read once at start, typed, and refused with a clear message."""

import os
import re
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from difflib import get_close_matches
from io import StringIO
from pathlib import Path
from tempfile import NamedTemporaryFile
from urllib.parse import unquote, urlsplit

from dotenv import dotenv_values
from dotenv.parser import parse_stream
from sqlalchemy.exc import ArgumentError

from db.sql.engine import driver_url
from private_files import files_of_database, make_folder

ROOT = Path(__file__).parent
DEFAULT_DATABASE = ROOT / "var" / "quintet.db"
DEFAULT_DATABASE_URL = f"sqlite:///{DEFAULT_DATABASE}"
IN_MEMORY = "memory://"
KEY_FILE = ROOT / "var" / "jwt_secret_key"

VARIABLES = {
    "HOST": ("127.0.0.1", "address to listen on"),
    "PORT": ("8000", "port to listen on; 0: any that is free"),
    "DATABASE_URL": (DEFAULT_DATABASE_URL, "postgresql://..., or sqlite:///... with a file in a folder that is there"),
    "JWT_SECRET_KEY": ("", "signs tokens; required with PostgreSQL, else made at the first start and kept in var/"),
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
}
"""Each variable's default, where it has a fixed one, and what it is for."""

SIMILARITY_OF_A_SLIP = 0.85
"""Where difflib takes one name for another: a wrong letter or two in a long one. `PGPORT` and `HOSTNAME` are others."""

KEY_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
"""The shortest key of each algorithm is as long as its hash (RFC 7518, section 3.2)."""

FEWEST_DISTINCT_CHARACTERS = 10

_ORIGIN = re.compile(r"https?://([a-z0-9_.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
"""As browsers write it in the header Origin: in lower case, without a path."""

_REDIS_URL = re.compile(r"rediss?://([^@/\s]*@)?[^@/:\s]+:[0-9]{1,5}(/[0-9]+)?")


class SettingError(Exception):
    """A variable has a value that cannot be used; the message names the variable, never a secret."""


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set from outside."""

    host: str
    port: int
    database_url: str
    jwt_secret_key: str
    jwt_algorithm: str
    access_lifetime: timedelta
    refresh_lifetime: timedelta
    allowed_origins: tuple[str, ...]
    debug: bool
    rate_limit_per_minute: int
    rate_limit_storage_url: str = IN_MEMORY
    https_only: bool = False
    demo: bool = False
    trusted_proxies: str = ""
    """Addresses and networks, as uvicorn reads them; a client's word for itself counts only through one of these."""

    @property
    def database_file(self) -> Path | None:
        """The file of the SQLite database; None with PostgreSQL."""
        return file_of_database(self.database_url)

    @property
    def private_files(self) -> list[Path]:
        """What nobody but the owner of this process should read, whether or not it is there."""
        databases = {DEFAULT_DATABASE, self.database_file or DEFAULT_DATABASE}
        return [KEY_FILE.parent, KEY_FILE, *(file for one in databases for file in files_of_database(one))]


def file_of_database(database_url: str) -> Path | None:
    """Find the file of an SQLite database; None with PostgreSQL. Raises `ValueError` or `ArgumentError`, if neither."""
    url = driver_url(database_url)
    if url.get_backend_name() != "sqlite" or url.database is None:
        return None
    return Path(unquote(urlsplit(url.database).path) if url.query.get("uri") else url.database)


def read_settings(environment: Mapping[str, str] | None = None) -> Settings:
    """Read the settings from the environment and, below it, the file `.env`. Raises `SettingError`."""
    values = read_environment() if environment is None else environment
    database_url = _database_url(values)
    algorithm = _algorithm(values)
    debug = _flag(values, "DEBUG")
    in_earnest = not database_url.startswith("sqlite") and not debug
    return Settings(
        host=_text(values, "HOST"),
        port=_number(values, "PORT", 0, 65_535),
        database_url=database_url,
        jwt_secret_key=_secret(values, algorithm, needed=in_earnest),
        jwt_algorithm=algorithm,
        access_lifetime=timedelta(minutes=_number(values, "ACCESS_TOKEN_EXPIRE_MINUTES", 1, 525_600)),
        refresh_lifetime=timedelta(days=_number(values, "REFRESH_TOKEN_EXPIRE_DAYS", 1, 3_650)),
        allowed_origins=_origins(values),
        debug=debug,
        rate_limit_per_minute=_number(values, "RATE_LIMIT_PER_MINUTE", 0, 1_000_000),
        rate_limit_storage_url=_storage_url(values),
        https_only=_flag(values, "HTTPS_ONLY") if values.get("HTTPS_ONLY") else in_earnest,
        demo=_flag(values, "DEMO"),
        trusted_proxies=_text(values, "FORWARDED_ALLOW_IPS"),
    )


def read_environment() -> dict[str, str]:
    """Read the environment and, below it, the file `.env`. Raises `SettingError`."""
    try:
        text = (ROOT / ".env").read_text(encoding="utf-8")
    except FileNotFoundError:
        return dict(os.environ)
    except (OSError, UnicodeError) as error:
        raise SettingError(".env cannot be read as a file in UTF-8") from error
    _refuse_broken_lines(text)
    from_file = dotenv_values(stream=StringIO(text))
    return {**{name: value for name, value in from_file.items() if value is not None}, **os.environ}


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


def _text(values: Mapping[str, str], name: str) -> str:
    default, _ = VARIABLES[name]
    text = values.get(name) or default
    if not text.isprintable():
        raise SettingError(f"{name} has to be plain text in UTF-8")
    return text


def _number(values: Mapping[str, str], name: str, least: int, most: int) -> int:
    text = _text(values, name)
    if not (text.isascii() and text.isdigit() and len(text) <= len(str(most)) and least <= int(text) <= most):
        raise SettingError(f"{name} has to be a whole number from {least} to {most}")
    return int(text)


def _flag(values: Mapping[str, str], name: str) -> bool:
    words = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
    word = _text(values, name).lower()
    if word not in words:
        raise SettingError(f"{name} has to be true or false")
    return words[word]


def _database_url(values: Mapping[str, str]) -> str:
    url = _text(values, "DATABASE_URL")
    try:
        file = file_of_database(url)
    except (ArgumentError, ValueError) as error:
        raise SettingError("DATABASE_URL has to be a postgresql:// URL or name a file by sqlite:///") from error
    # A folder that is not there is more likely misspelled than wanted; the server makes its own one alone.
    if file and file.parent.absolute() != DEFAULT_DATABASE.parent and not file.parent.is_dir():
        raise SettingError(f"DATABASE_URL has to be a file in a folder that is there, and {str(file.parent)!r} is not")
    return url


def _storage_url(values: Mapping[str, str]) -> str:
    url = values.get("RATE_LIMIT_STORAGE_URL") or IN_MEMORY
    if url != IN_MEMORY and not _REDIS_URL.fullmatch(url):
        raise SettingError("RATE_LIMIT_STORAGE_URL has to be as redis://host:6379/0 or rediss://…, or memory://")
    return url


def _algorithm(values: Mapping[str, str]) -> str:
    algorithm = _text(values, "JWT_ALGORITHM")
    if algorithm not in KEY_BYTES:
        raise SettingError(f"JWT_ALGORITHM has to be one of {', '.join(KEY_BYTES)}")
    return algorithm


def _origins(values: Mapping[str, str]) -> tuple[str, ...]:
    # Set to nothing it allows no origin; the default counts only where it is not set at all.
    listed = "" if values.get("ALLOWED_ORIGINS") == "" else _text(values, "ALLOWED_ORIGINS")
    origins = [one.strip() for one in listed.split(",") if one.strip()]
    if not all(origin == "*" or _ORIGIN.fullmatch(origin) for origin in origins):
        raise SettingError("ALLOWED_ORIGINS has to be a list of origins, as https://app.example,http://localhost:3000")
    return tuple(origins)


def _secret(values: Mapping[str, str], algorithm: str, *, needed: bool) -> str:
    key = _text(values, "JWT_SECRET_KEY")
    if needed and not _is_strong(key, algorithm):
        raise SettingError(
            f"JWT_SECRET_KEY has to be set to a random text of at least {KEY_BYTES[algorithm]} bytes"
            " (python -c 'import secrets; print(secrets.token_hex(64))' makes one)"
        )
    return key or _kept_secret(algorithm)


def _is_strong(key: str, algorithm: str) -> bool:
    return len(key.encode()) >= KEY_BYTES[algorithm] and len(set(key)) >= FEWEST_DISTINCT_CHARACTERS


def _kept_secret(algorithm: str) -> str:
    """Read the key of this machine; the first start makes it, readable by its owner alone."""
    try:
        key = _read_key() if KEY_FILE.exists() else _make_key()
    except (OSError, UnicodeError) as error:
        raise SettingError(f"the key file {KEY_FILE} can be neither read nor made") from error
    if not _is_strong(key, algorithm):
        raise SettingError(
            f"the key file {KEY_FILE} holds no random text of at least {KEY_BYTES[algorithm]} bytes;"
            " delete it, and the next start makes another (everybody has to log in anew then)"
        )
    return key


def _read_key() -> str:
    return KEY_FILE.read_text().strip()


def _make_key() -> str:
    # Written beside its place and moved there whole: of two processes that start at once, neither reads half a key,
    # and both end up with the one that came first.
    make_folder(KEY_FILE.parent)
    with NamedTemporaryFile("w", dir=KEY_FILE.parent) as file:
        file.write(secrets.token_hex(64))
        file.flush()
        with suppress(FileExistsError):
            os.link(file.name, KEY_FILE)
    return _read_key()
