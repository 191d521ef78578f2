"""The edge: what every request meets first, whatever it is for: its id, its line in the log, and CORS."""

import logging
import re
import sys
from time import perf_counter
from typing import Any
from uuid import uuid4

import orjson
from starlette.middleware.cors import CORSMiddleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from db.clock import instant_json, now
from server.scopes import header

EXPOSED_HEADERS = ("Allow", "RateLimit", "RateLimit-Policy", "Retry-After", "WWW-Authenticate", "X-Request-ID")
PREFLIGHT_SECONDS = 600

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")

_NO_SNIFFING = (b"x-content-type-options", b"nosniff")

logger = logging.getLogger("quintet.requests")


class JsonLines(logging.Formatter):
    """Writes each record as one line of JSON; a request's line carries its members beside time and level."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        line: dict[str, Any] = {"time": instant_json(now()), "level": record.levelname.lower()}
        line |= getattr(record, "members", None) or {"message": record.getMessage()}
        if record.exc_info:
            line["error"] = self.formatException(record.exc_info)
        return orjson.dumps(line, default=str).decode()


def log_to_stdout(*, debug: bool) -> None:
    """Send the log to standard output."""
    output = logging.StreamHandler(sys.stdout)
    output.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers = [output]
    root.setLevel(logging.WARNING)
    logging.getLogger("quintet").setLevel(logging.DEBUG if debug else logging.INFO)


class RequestLog:
    """Gives each request an id and writes one line about it. Tokens, passwords and bodies never get there."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and write its line when it is answered."""
        started = perf_counter()
        state = scope["state"] = {"id": request_id(scope), "route": None, "status": None, "account": None}

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                state["status"] = message["status"]
                message["headers"] = [*message["headers"], _NO_SNIFFING, (b"x-request-id", state["id"].encode())]
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            logger.info("", extra={"members": _members(scope["method"], state, perf_counter() - started)})


def _members(method: str, state: dict[str, Any], seconds: float) -> dict[str, Any]:
    return {
        "id": state["id"],
        "method": method,
        "route": state["route"],
        "status": state["status"],
        "ms": round(seconds * 1000, 2),
        "account": state["account"],
    }


def request_id(scope: Scope) -> str:
    """Take the id that the client gave, if it is short and plain, or make one."""
    given = header(scope, b"x-request-id") or ""
    return given if _REQUEST_ID.fullmatch(given) else uuid4().hex


def with_cors(app: ASGIApp, allowed_origins: tuple[str, ...]) -> ASGIApp:
    """Let pages of the allowed origins read all answers, errors included. `*` allows all, without credentials."""
    return CORSMiddleware(
        app,
        allow_origins=allowed_origins,
        allow_methods=("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"),
        allow_headers=("Authorization", "Content-Type", "X-Request-ID"),
        allow_credentials="*" not in allowed_origins,
        expose_headers=EXPOSED_HEADERS,
        max_age=PREFLIGHT_SECONDS,
    )
