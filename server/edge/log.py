"""The log: an id for each request, and one line of JSON about it on standard output."""

import asyncio
import logging
import re
import sys
from time import perf_counter
from typing import Any, BinaryIO
from uuid import uuid4

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

import clock
from language.texts import instant_json
from server.asgi import header
from server.errors.refusals import internal_error
from server.errors.traces import trace_of

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")

_NO_SNIFFING = (b"x-content-type-options", b"nosniff")


class JsonLines(logging.Formatter):
    """Writes each record of a library's log as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        # A path of the file system may hold what is no Unicode; it must not keep the line from being written.
        message = record.getMessage().encode(errors="backslashreplace").decode()
        line = {"time": instant_json(clock.now()), "level": record.levelname.lower(), "message": message}
        if record.exc_info and record.exc_info[1]:
            line["error"] = trace_of(record.exc_info[1])
        return orjson.dumps(line).decode()


class RequestLines:
    """The lines of requests, written together once a turn of the event loop.

    Python's logging takes a dozen calls and a write for each line: measured, 8 % of a GET.
    """

    def __init__(self) -> None:
        self.output: BinaryIO | None = None
        self.waiting: list[bytes] = []

    def add(self, line: dict[str, Any]) -> None:
        """Write a line at the end of this turn; nowhere unless there is an output."""
        if self.output is None:
            return
        if not self.waiting:
            asyncio.get_running_loop().call_soon(self.flush)
        self.waiting.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    def flush(self) -> None:
        """Write what waits."""
        waiting, self.waiting = self.waiting, []
        if self.output is not None:
            self.output.write(b"".join(waiting))
            self.output.flush()


request_lines = RequestLines()


def log_to_stdout(*, debug: bool) -> None:
    """Send the log to standard output."""
    output = logging.StreamHandler(sys.stdout)
    output.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers = [output]
    root.setLevel(logging.WARNING)
    logging.getLogger("quintet").setLevel(logging.DEBUG if debug else logging.INFO)
    request_lines.output = sys.stdout.buffer


class RequestLog:
    """Gives each request an id and writes one line about it. Tokens, passwords and bodies never get there."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, with room for what is found out about it, and write its line when it is answered."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        started = perf_counter()
        state = scope["state"] = new_state(request_id(scope))

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                state["status"] = message["status"]
                own = (_NO_SNIFFING, (b"x-request-id", state["id"].encode()))
                message["headers"] = [*message["headers"], *state["headers"], *own]
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            account = scope.get("extensions", {}).get("connexion_context", {}).get("user")
            log_request(scope["method"], state, account, started=started)


def new_state(request_id: str) -> dict[str, Any]:
    """Return the notes on a request, empty but for its id."""
    return {
        "id": request_id,
        "status": None,
        "headers": [],  # Those that any answer to this request gets, errors too.
        "trace": None,
        "route": None,
        "page": None,
        "endpoint": None,
        "contract": None,
    }


def log_request(method: str | None, state: dict[str, Any], account: int | None, *, started: float) -> None:
    """Write the line of a request that began at `started`, by the reading of `perf_counter` in seconds."""
    line = {
        "time": instant_json(clock.now()),
        "level": "error" if state["status"] == internal_error().status else "info",
        "id": state["id"],
        "method": method,
        "route": state["route"].template if state["route"] else state["page"],
        "status": state["status"],
        "ms": round((perf_counter() - started) * 1000, 2),
        "account": account,
    }
    if state["trace"]:
        line["error"] = state["trace"]
    request_lines.add(line)


def request_id(scope: Scope) -> str:
    """Return the id that the client gave, if it is short and plain, or make one."""
    given = header(scope, b"x-request-id") or ""
    return given if _REQUEST_ID.fullmatch(given) else uuid4().hex
