"""The edge: what every request meets first, whatever it is for: its id, its line in the log, and CORS."""

import logging
import re
import sys
from time import perf_counter
from traceback import format_tb
from typing import Any
from uuid import uuid4

import orjson
from starlette.datastructures import Headers
from starlette.middleware.cors import CORSMiddleware
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import clock
from language import instant_json
from server.answers import error_answer
from server.contracts import contract_at
from server.refusals import internal_error, preflight_refused
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
        line: dict[str, Any] = {"time": instant_json(clock.now()), "level": record.levelname.lower()}
        line |= getattr(record, "members", None) or {"message": _told(record)}
        if record.exc_info and record.exc_info[1]:
            line["error"] = trace_of(record.exc_info[1])
        return orjson.dumps(line, default=str).decode()


def _told(record: logging.LogRecord) -> str:
    # A path of the file system may hold what is no Unicode; it must not keep the line from being written.
    return record.getMessage().encode(errors="backslashreplace").decode()


def trace_of(error: BaseException) -> str:
    """Say where an error was raised and of what kind it is, and the same of what led to it.

    Its message is left out: drivers, parsers and Python itself quote values there, a password among them.
    """
    kind = type(error)
    trace = f"{''.join(format_tb(error.__traceback__))}{kind.__module__}.{kind.__qualname__}"
    origin = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return trace if origin is None else f"{trace_of(origin)}\n\n{trace}"


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
        state = scope["state"] = {
            "id": request_id(scope),
            "route": None,
            "status": None,
            "account": None,
            "error": None,
        }

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                state["status"] = message["status"]
                message["headers"] = [*message["headers"], _NO_SNIFFING, (b"x-request-id", state["id"].encode())]
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            log_request(scope["method"], state, started=started)


def log_request(method: str | None, state: dict[str, Any], *, started: float) -> None:
    """Write the line of a request that began at `started`, by the reading of `perf_counter`."""
    members = {
        "id": state["id"],
        "method": method,
        "route": state["route"],
        "status": state["status"],
        "ms": round((perf_counter() - started) * 1000, 2),
        "account": state["account"],
    }
    level = logging.ERROR if state["status"] == internal_error().status else logging.INFO
    logger.log(level, "", exc_info=state.get("error"), extra={"members": members})


def request_id(scope: Scope) -> str:
    """Take the id that the client gave, if it is short and plain, or make one."""
    given = header(scope, b"x-request-id") or ""
    return given if _REQUEST_ID.fullmatch(given) else uuid4().hex


def with_cors(app: ASGIApp, allowed_origins: tuple[str, ...]) -> ASGIApp:
    """Let pages of the allowed origins read all answers, errors included. `*` allows all, without credentials."""
    return _Cors(
        app,
        allow_origins=allowed_origins,
        allow_methods=("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"),
        allow_headers=("Authorization", "Content-Type", "X-Request-ID"),
        allow_credentials="*" not in allowed_origins,
        expose_headers=EXPOSED_HEADERS,
        max_age=PREFLIGHT_SECONDS,
    )


class _Cors(CORSMiddleware):
    def preflight_response(self, request_headers: Headers) -> Response:
        response = super().preflight_response(request_headers)
        return response if response.status_code < preflight_refused().status else _RefusedPreflight(response)


class _RefusedPreflight(Response):
    """Starlette's refusal in the shape that errors have at the path; its headers still tell what is allowed."""

    def __init__(self, refusal: Response) -> None:
        super().__init__()
        self.allowed = [(name, value) for name, value in refusal.raw_headers if not name.startswith(b"content-")]

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        answer = error_answer(preflight_refused(), contract_at(scope["raw_path"]), at=clock.now())
        answer.headers += self.allowed
        await answer.send(send)
