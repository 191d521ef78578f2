"""Builds the server out of its parts; `python app.py` serves it."""

import argparse
import gc
import os
import signal
import socket
import sys
from collections.abc import Sequence
from importlib import import_module
from threading import Timer
from types import FrameType
from typing import NoReturn

import uvicorn
from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp

from commands import COMMANDS
from db.schema import SchemaError, migrate
from db.sql.engine import connect
from db.sql.poolers import PoolerError, check_sessions
from environment import VARIABLES, SettingError, misspelled, read_environment
from log import log_to_stdout
from private_files import make_database, narrow
from security.quotas import Quotas
from security.tokens import SigningKey, sign_with
from server.app import Quintet
from server.edge.crowds import raise_file_limit
from server.edge.proxies import TrustedProxies
from server.edge.wire import HttpProtocol
from server.tracing import NoTracing, Traced, check_tracing
from server.views import ContractError
from settings import Settings, read_settings

GRACE_SECONDS = 3
"""How long requests under way may take to end after SIGTERM."""

LAST_RESORT_SECONDS = 4.5
"""How long after SIGTERM the process ends in any case."""

BACKLOG = 2_048
"""How many connections may wait to be accepted."""

ALL_ORIGINS = (
    "ALLOWED_ORIGINS=* lets pages of all origins read answers, but never with credentials: the refresh cookie counts"
    " from the server's own pages and from origins listed by name"
)


def create_app() -> Flask:
    """Return the Flask application inside, for `flask --app app`: a command reads the settings that it needs itself."""
    flask = Quintet().app
    for command in COMMANDS:
        flask.cli.add_command(command)
    return flask


def _connect(settings: Settings) -> Engine:
    prepared, replica_url = settings.prepared_statements, settings.database_replica_url
    return connect(settings.database_url, replica_url=replica_url, prepared=prepared)


def build_server(settings: Settings) -> Quintet:
    """Build the server of this process, whose database is connected to already."""
    sign_with(
        SigningKey(
            settings.jwt_secret_key,
            settings.jwt_algorithm,
            settings.access_lifetime,
            settings.refresh_lifetime,
            settings.jwt_previous_keys,
        )
    )
    quotas = Quotas(settings.rate_limit_per_minute, settings.rate_limit_storage_url)
    server = Quintet(
        allowed_origins=settings.allowed_origins,
        quotas=quotas,
        https_only=settings.https_only,
        demo=settings.demo,
        trusts_proxies=bool(settings.trusted_proxies),
    )
    if settings.metrics:
        # Few servers have any, and importing what counts them takes fifteen milliseconds.
        import_module("server.metrics.page").add_metrics(server, settings.metrics_allow_ips)
    # What is here now stays: the garbage collector need not walk through all contracts for each body of a megabyte,
    # which takes 75 ms to parse instead of 400.
    gc.freeze()
    return server


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve, or print what can be set; there are no options, for all settings are variables."""
    # Of all that a shell can hand over, only --help means something: an option that is ignored would mislead.
    argparse.ArgumentParser(
        prog="python app.py",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description=f"Serve all contracts until SIGTERM or SIGINT.\n\n{_settings_listed()}",
        allow_abbrev=False,
    ).parse_args(arguments)
    serve()


def _settings_listed() -> str:
    heading = "Settings are read from the environment and from the file .env beside app.py; the environment wins."
    width = max(map(len, VARIABLES))
    margin = "\n" + " " * (width + 4)
    lines = (
        f"  {name:<{width}}  {meaning}{f'{margin}default: {default}' if default else ''}"
        for name, (default, meaning) in VARIABLES.items()
    )
    return "\n".join([heading, "", *lines])


def serve() -> None:
    """Serve until told to stop; what keeps the server from starting is told in one line, with exit code 1."""
    # Uvicorn lets the signals that ended it happen again; having finished all requests, that is no failure.
    for stop in (signal.SIGINT, signal.SIGTERM):
        signal.signal(stop, lambda *_: sys.exit())
    try:
        environment = read_environment()
        _warn(misspelled(environment))
        settings = read_settings(environment)
        if settings.otlp_endpoint:
            check_tracing()
        raise_file_limit()
        listener = _listen(settings)
        make_database(settings.database_file)
        check_sessions(settings.database_url, prepared=settings.prepared_statements)
        migrate(_connect(settings))
        _warn(narrow(settings.private_files))
        _warn([ALL_ORIGINS] if "*" in settings.allowed_origins else [])
        app = build_server(settings)
    except (SettingError, SchemaError, PoolerError, ContractError, NoTracing) as error:
        _give_up(str(error))
    except SQLAlchemyError as error:
        reasons = str(getattr(error, "orig", error)).splitlines() or [type(error).__name__]
        _give_up(f"the database does not answer: {reasons[0]}")
    except OSError as error:
        _give_up(f"the database cannot be reached: {error.strerror or error}")
    _run(app, settings, listener)


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


def _run(app: ASGIApp, settings: Settings, listener: socket.socket) -> None:
    log_to_stdout(settings.log_level)
    app = Traced(app, settings.otlp_endpoint) if settings.otlp_endpoint else app
    _Server(uvicorn_config(app, trusted_proxies=settings.trusted_proxies)).run(sockets=[listener])


class _Server(uvicorn.Server):
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        listeners = sockets if self.started and sockets else []
        for host, port, *_ in (listener.getsockname() for listener in listeners):
            print(f"Quintet is served at http://{f'[{host}]' if ':' in host else host}:{port}", flush=True)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # What waits for a database that hangs does not let itself be cancelled, and must not keep the process.
        super().handle_exit(sig, frame)
        last_resort = Timer(LAST_RESORT_SECONDS, os._exit, [1])
        last_resort.daemon = True
        last_resort.start()


def uvicorn_config(app: ASGIApp, *, trusted_proxies: str = "") -> uvicorn.Config:
    """Say how uvicorn serves the application."""
    return uvicorn.Config(
        # A client's word for its own address counts only where a proxy is known to write it.
        TrustedProxies(app, trusted_proxies) if trusted_proxies else app,  # type: ignore[arg-type]
        loop="uvloop",
        http=HttpProtocol,
        ws="none",
        lifespan="on",
        backlog=BACKLOG,
        workers=1,
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _warn(warnings: Sequence[str]) -> None:
    for warning in warnings:
        print(f"quintet: warning: {warning}", file=sys.stderr)


def _give_up(reason: str) -> NoReturn:
    print(f"quintet: {reason}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    main()
