"""Builds the server out of its parts; `python app.py` serves it."""

import os
import socket
import sys
from typing import NoReturn

import uvicorn
from sqlalchemy.exc import SQLAlchemyError
from starlette.types import ASGIApp

from db.engine import connect
from db.schema import migrate
from security.tokens import SigningKey, sign_with
from server.app import build_app
from server.edge import log_to_stdout
from server.quotas import Quotas
from server.views import ContractError
from settings import SettingError, Settings, read_settings

GRACE_SECONDS = 4
"""How long requests under way may take to end after SIGTERM."""


def create_app(settings: Settings | None = None) -> ASGIApp:
    """Set up this process by the settings (read from the environment when none are given) and build the server."""
    settings = settings or read_settings()
    sign_with(
        SigningKey(settings.jwt_secret_key, settings.jwt_algorithm, settings.access_lifetime, settings.refresh_lifetime)
    )
    migrate(connect(settings.database_url))
    quotas = Quotas(settings.rate_limit_per_minute, settings.rate_limit_storage_url)
    return build_app(allowed_origins=settings.allowed_origins, quotas=quotas)


def serve() -> None:
    """Serve until told to stop; what keeps the server from starting is told in one line, with exit code 1."""
    try:
        settings = read_settings()
        app = create_app(settings)
        listener = _listen(settings)
    except (SettingError, ContractError) as error:
        _give_up(str(error))
    except SQLAlchemyError as error:
        _give_up(f"the database does not answer: {str(getattr(error, 'orig', error)).splitlines()[0]}")
    except OSError as error:
        _give_up(f"cannot listen: {error.strerror or error}")
    _run(app, settings, listener)


def _listen(settings: Settings) -> socket.socket:
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind((settings.host, settings.port))
    return listener


def _run(app: ASGIApp, settings: Settings, listener: socket.socket) -> None:
    log_to_stdout(debug=settings.debug)
    host, port = listener.getsockname()[:2]
    print(f"Quintet is served at http://{host}:{port}/docs", flush=True)
    uvicorn.Server(uvicorn_config(app)).run(sockets=[listener])


def uvicorn_config(app: ASGIApp) -> uvicorn.Config:
    """Say how uvicorn serves the application."""
    return uvicorn.Config(
        app,
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        # A client's word for its own address counts only where a proxy is known to write it.
        proxy_headers="FORWARDED_ALLOW_IPS" in os.environ,
        timeout_graceful_shutdown=GRACE_SECONDS,
    )


def _give_up(reason: str) -> NoReturn:
    print(f"quintet: {reason}", file=sys.stderr)
    sys.exit(1)


if __name__ == "__main__":
    serve()
