"""The settings: read once at start, typed, and refused with a clear message."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from sqlalchemy.exc import ArgumentError

from db.sql.urls import driver_url
from environment import DEFAULT_DATABASE, IN_MEMORY, ROOT, SettingError, flag_of, number_of, read_environment, text_of
from private_files import files_of_database
from security.key_file import KEY_BYTES, BadKeyFile, is_strong, kept_key

KEY_FILE = ROOT / "var" / "jwt_secret_key"

LOG_LEVELS = ("debug", "info", "warning", "error")

_ORIGIN = re.compile(r"https?://([a-z0-9_.-]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?")
"""As browsers write it in the header Origin: in lower case, without a path."""

_COLLECTOR_URL = re.compile(r"https?://[^@/?#\s]+(/[^?#\s]*)?")

_REDIS_URL = re.compile(r"rediss?://([^@/\s]*@)?[^@/:\s]+:[0-9]{1,5}(/[0-9]+)?")


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
    workers: int = 1
    keep_alive: int = 75
    database_replica_url: str = ""
    prepared_statements: bool = True
    migrate: bool = True
    jwt_previous_keys: tuple[str, ...] = ()
    rate_limit_storage_url: str = IN_MEMORY
    https_only: bool = False
    demo: bool = False
    trusted_proxies: str = ""
    """Addresses and networks, as uvicorn reads them; a client's word for itself counts only through one of these."""
    log_level: str = "info"
    metrics: bool = False
    metrics_allow_ips: str = ""
    otlp_endpoint: str = ""

    @property
    def database_file(self) -> Path | None:
        """The file of the SQLite database; None with PostgreSQL."""
        return file_of_database(self.database_url)

    @property
    def connection_options(self) -> dict[str, Any]:
        """How the database is connected to, beside its URL, as `db.sql.engine.connect` takes it."""
        return {"replica_url": self.database_replica_url, "prepared": self.prepared_statements}

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
    debug = flag_of(values, "DEBUG")
    on_sqlite = database_url.startswith("sqlite")
    in_earnest = not on_sqlite and not debug
    required = Settings(
        host=text_of(values, "HOST"),
        port=number_of(values, "PORT", 0, 65_535),
        database_url=database_url,
        jwt_secret_key=_secret(values, algorithm, needed=in_earnest),
        jwt_previous_keys=_previous_keys(values, algorithm, needed=in_earnest),
        jwt_algorithm=algorithm,
        access_lifetime=timedelta(minutes=number_of(values, "ACCESS_TOKEN_EXPIRE_MINUTES", 1, 525_600)),
        refresh_lifetime=timedelta(days=number_of(values, "REFRESH_TOKEN_EXPIRE_DAYS", 1, 3_650)),
        allowed_origins=_origins(values),
        debug=debug,
        rate_limit_per_minute=number_of(values, "RATE_LIMIT_PER_MINUTE", 0, 1_000_000),
        rate_limit_storage_url=_storage_url(values),
        https_only=flag_of(values, "HTTPS_ONLY") if values.get("HTTPS_ONLY") else in_earnest,
    )
    return _with_options(required, values, on_sqlite=on_sqlite)


def _with_options(settings: Settings, values: Mapping[str, str], *, on_sqlite: bool) -> Settings:
    return replace(
        settings,
        workers=number_of(values, "WORKERS", 1, 256) if values.get("WORKERS") else 1 if on_sqlite else _cores(),
        keep_alive=number_of(values, "KEEP_ALIVE", 1, 3_600),
        database_replica_url=_replica_url(values),
        prepared_statements=flag_of(values, "PREPARED_STATEMENTS"),
        migrate=flag_of(values, "MIGRATE"),
        log_level=_log_level(values),
        metrics=flag_of(values, "METRICS"),
        metrics_allow_ips=_networks(values, "METRICS_ALLOW_IPS"),
        otlp_endpoint=_collector_url(values),
        demo=flag_of(values, "DEMO"),
        trusted_proxies=text_of(values, "FORWARDED_ALLOW_IPS"),
    )


def _database_url(values: Mapping[str, str]) -> str:
    url = text_of(values, "DATABASE_URL")
    try:
        file = file_of_database(url)
    except (ArgumentError, ValueError) as error:
        raise SettingError("DATABASE_URL has to be a postgresql:// URL or name a file by sqlite:///") from error
    # A folder that is not there is more likely misspelled than wanted; the server makes its own one alone.
    if file and file.parent.absolute() != DEFAULT_DATABASE.parent and not file.parent.is_dir():
        raise SettingError(f"DATABASE_URL has to be a file in a folder that is there, and {str(file.parent)!r} is not")
    return url


def _replica_url(values: Mapping[str, str]) -> str:
    url = text_of(values, "DATABASE_REPLICA_URL")
    try:
        is_usable = not url or driver_url(url).get_backend_name() == "postgresql"
    except (ArgumentError, ValueError):
        is_usable = False
    if not is_usable:
        raise SettingError("DATABASE_REPLICA_URL has to be a postgresql:// URL")
    return url


def _storage_url(values: Mapping[str, str]) -> str:
    url = values.get("RATE_LIMIT_STORAGE_URL") or IN_MEMORY
    if url != IN_MEMORY and not _REDIS_URL.fullmatch(url):
        raise SettingError("RATE_LIMIT_STORAGE_URL has to be as redis://host:6379/0 or rediss://…, or memory://")
    return url


def _algorithm(values: Mapping[str, str]) -> str:
    algorithm = text_of(values, "JWT_ALGORITHM")
    if algorithm not in KEY_BYTES:
        raise SettingError(f"JWT_ALGORITHM has to be one of {', '.join(KEY_BYTES)}")
    return algorithm


def _origins(values: Mapping[str, str]) -> tuple[str, ...]:
    # Set to nothing it allows no origin; the default counts only where it is not set at all.
    origins = () if values.get("ALLOWED_ORIGINS") == "" else _listed(values, "ALLOWED_ORIGINS")
    if not all(origin == "*" or _ORIGIN.fullmatch(origin) for origin in origins):
        raise SettingError("ALLOWED_ORIGINS has to be a list of origins, as https://app.example,http://localhost:3000")
    return origins


def _secret(values: Mapping[str, str], algorithm: str, *, needed: bool) -> str:
    key = text_of(values, "JWT_SECRET_KEY")
    if needed and not is_strong(key, algorithm):
        raise SettingError(
            f"JWT_SECRET_KEY has to be set to a random text of at least {KEY_BYTES[algorithm]} bytes"
            " (flask --app app keys new makes one)"
        )
    try:
        return key or kept_key(KEY_FILE, algorithm)
    except BadKeyFile as error:
        raise SettingError(str(error)) from error


def _previous_keys(values: Mapping[str, str], algorithm: str, *, needed: bool) -> tuple[str, ...]:
    keys = _listed(values, "JWT_PREVIOUS_KEYS")
    if needed and not all(is_strong(key, algorithm) for key in keys):
        raise SettingError(
            f"JWT_PREVIOUS_KEYS has to be a list of random texts of at least {KEY_BYTES[algorithm]} bytes"
        )
    return keys


def _log_level(values: Mapping[str, str]) -> str:
    level = text_of(values, "LOG_LEVEL").lower()
    if level not in LOG_LEVELS:
        raise SettingError(f"LOG_LEVEL has to be one of {', '.join(LOG_LEVELS)}")
    return level


def _networks(values: Mapping[str, str], name: str) -> str:
    networks = _listed(values, name)
    try:
        return ",".join(str(ip_network(one)) for one in networks)
    except ValueError as error:
        raise SettingError(f"{name} has to be a list of addresses and networks, as 127.0.0.1,10.0.0.0/8") from error


def _collector_url(values: Mapping[str, str]) -> str:
    url = text_of(values, "OTEL_EXPORTER_OTLP_ENDPOINT")
    if url and not _COLLECTOR_URL.fullmatch(url):
        raise SettingError("OTEL_EXPORTER_OTLP_ENDPOINT has to be as http://host:4318 or https://…")
    return url


def _listed(values: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(one.strip() for one in text_of(values, name).split(",") if one.strip())


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
