"""Serving: what a start needs, and uvicorn around the application, in one process or in several."""

import logging
import socket
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, NoReturn

import uvicorn
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp

from db.schema import SchemaError, migrate, pending
from db.sql.capacity import room_for_connections
from db.sql.engine import connect, disconnect
from db.sql.faults import reason_of
from db.sql.poolers import PoolerError, check_sessions
from db.sql.postgresql import AT_ONCE
from environment import SettingError, misspelled, read_environment
from log import log_to_stdout
from private_files import make_database, narrow
from security.shared_counts import SharedCounts
from server.edge.crowds import raise_file_limit
from server.edge.proxies import TrustedProxies
from server.edge.wire import HttpProtocol
from server.lanes import password_threads
from server.metrics.workers import metrics_folder
from server.tracing import NoTracing, Traced, check_tracing
from server.views import ContractError
from settings import Settings, read_settings
from workers import Server, Supervisor, leave_quietly

GRACE_SECONDS = 3
"""How long requests under way may take to end after SIGTERM."""

HEALTH_SECONDS = 10
"""How long a worker may take to answer its supervisor before it counts as hanging."""

BACKLOG = 2_048
"""How many connections may wait to be accepted."""

ALL_ORIGINS = (
    "ALLOWED_ORIGINS=* lets pages of all origins read answers, but never with credentials: the refresh cookie counts"
    " from the server's own pages and from origins listed by name"
)

UNUSABLE = (SettingError, SchemaError, PoolerError, ContractError, NoTracing, SQLAlchemyError, OSError)
"""What keeps a server from starting."""

logger = logging.getLogger("quintet")

Build = Callable[[Settings, SharedCounts | None], ASGIApp]


def serve(build: Build) -> None:
    """Serve until told to stop; what keeps the server from starting is told in one line, with exit code 1."""
    leave_quietly()
    try:
        environment = read_environment()
        _warn(misspelled(environment))
        settings = read_settings(environment)
        raise_file_limit()
        listener = _listen(settings)
        _prepare(settings)
        app = build(settings, None) if settings.workers == 1 else None
    except UNUSABLE as error:
        _give_up(_reason_of(error))
    log_to_stdout(settings.log_level)
    if app is None:
        # The folder is for the numbers of all workers together; METRICS may be set before they are renewed.
        with metrics_folder():
            _supervise(build, environment, settings, listener)
    config = uvicorn_config(_wrapped(app, settings), timeout_keep_alive=settings.keep_alive)
    Server(config, _say_where).run([listener])


def _prepare(settings: Settings) -> None:
    """Make and migrate the database, look whether all is there that is asked for, and warn of what is unwise."""
    if settings.otlp_endpoint:
        check_tracing()
    make_database(settings.database_file)
    check_sessions(settings.database_url, prepared=settings.prepared_statements)
    engine = connect(settings.database_url, **settings.connection_options)
    if settings.migrate:
        migrate(engine)
    elif missing := pending(engine):
        raise SchemaError(f"the database lacks {len(missing)} migrations of this version, and MIGRATE is off")
    _warn(narrow(settings.private_files))
    _warn([ALL_ORIGINS] if "*" in settings.allowed_origins else [])
    _warn(crowding(settings.workers, room_for_connections(engine)))


def crowding(workers: int, room: int | None) -> list[str]:
    """Return a warning if so many workers may open more connections than PostgreSQL has room for."""
    most = workers * (AT_ONCE + 1 + password_threads(workers) + 1)
    if room is None or most <= room:
        return []
    what = f"{workers} workers may open {most} connections, and PostgreSQL has room for {room} of all its clients"
    return [f"{what}: raise its max_connections, lower WORKERS, or put PgBouncer between them"]


def _supervise(build: Build, environment: Mapping[str, str], settings: Settings, listener: socket.socket) -> NoReturn:
    counts = SharedCounts()

    def config_by(environment: Mapping[str, str], settings: Settings) -> uvicorn.Config:
        # What is read at the start, and at SIGHUP, is what all workers get: also one that takes a dead one's place.
        app = partial(_worker_app, build, environment, counts)
        return uvicorn_config(
            app,
            factory=True,
            workers=settings.workers,
            timeout_keep_alive=settings.keep_alive,
            timeout_worker_healthcheck=HEALTH_SECONDS,
        )

    def read_anew() -> uvicorn.Config | None:
        try:
            environment = read_environment()
            settings = read_settings(environment)
            _prepare(settings)
        except UNUSABLE as error:
            logger.error("The workers go on as they are: %s", _reason_of(error))  # noqa: TRY400
            return None
        finally:
            disconnect()
        return config_by(environment, settings)

    disconnect()
    sys.exit(Supervisor(config_by(environment, settings), listener, _say_where, read_anew).supervise())


def _worker_app(build: Build, environment: Mapping[str, str], counts: SharedCounts) -> ASGIApp:
    """Build the application of a worker, in its own process."""
    try:
        settings = read_settings(environment)
        connect(settings.database_url, **settings.connection_options)
        app = build(settings, counts)
    except UNUSABLE as error:
        _give_up(_reason_of(error))
    log_to_stdout(settings.log_level)
    return _wrapped(app, settings)


def _wrapped(app: ASGIApp, settings: Settings) -> ASGIApp:
    traced = Traced(app, settings.otlp_endpoint) if settings.otlp_endpoint else app
    return _behind_proxies(traced, settings.trusted_proxies)


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((settings.host, settings.port))
        # A port that is only bound can be bound by others as well.
        listener.listen(BACKLOG)
    except (OSError, TypeError) as error:  # Python says TypeError of a host that IDNA cannot write.
        reason = error.strerror if isinstance(error, OSError) else "this is no host"
        _give_up(f"cannot listen on HOST {settings.host}, PORT {settings.port}: {reason}")
    return listener


def uvicorn_config(app: Any, *, trusted_proxies: str = "", **options: Any) -> uvicorn.Config:
    """Say how uvicorn serves the application; `options` are uvicorn's own."""
    return uvicorn.Config(
        _behind_proxies(app, trusted_proxies),
        loop="uvloop",
        http=HttpProtocol,
        ws="none",
        lifespan="on",
        backlog=BACKLOG,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        **options,
    )


def _behind_proxies(app: Any, trusted: str) -> Any:
    # A client's word for its own address counts only where a proxy is known to write it.
    return TrustedProxies(app, trusted) if trusted else app


def _say_where(listener: socket.socket) -> None:
    host, port, *_ = listener.getsockname()
    print(f"Quintet is served at http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)


def _reason_of(error: Exception) -> str:
    if isinstance(error, SQLAlchemyError):
        return reason_of(error)
    if isinstance(error, OSError):
        return f"the database cannot be reached: {error.strerror or error}"
    return str(error)


def _warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        print(f"quintet: warning: {warning}", file=sys.stderr)


def _give_up(reason: str) -> NoReturn:
    print(f"quintet: {reason}", file=sys.stderr)
    sys.exit(1)
