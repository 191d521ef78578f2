"""The id of each request, and its line in the log."""

import re
from collections.abc import Callable
from secrets import token_hex
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

import clock
from language.texts import instant_json
from log import request_lines
from server.asgi import Notes, header
from server.edge.trace_context import trace_context

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")

NO_SNIFFING = (b"x-content-type-options", b"nosniff")

observers: list[Callable[[Notes, float], None]] = []
"""Who is told of each request when it is answered, and how many seconds that took."""


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
        notes = scope["notes"] = Notes(request_id(scope))
        traceparent = header(scope, b"traceparent")
        if traceparent is not None:
            notes.trace_context = trace_context(traceparent)

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                notes.status = message["status"]
                own = (NO_SNIFFING, (b"x-request-id", notes.id.encode()))
                message["headers"] = [*message["headers"], *notes.headers, *own]
            await send(message)

        try:
            await self.app(scope, receive, send_with_id)
        finally:
            account = scope.get("extensions", {}).get("connexion_context", {}).get("user")
            log_request(scope["method"], notes, account, started=started)


def log_request(method: str | None, notes: Notes, account: int | None, *, started: float) -> None:
    """Write the line of a request that began at `started`, by the reading of `perf_counter` in seconds."""
    seconds = perf_counter() - started
    for observe in observers:
        observe(notes, seconds)
    level = "error" if notes.trace else "warning" if notes.cause else "info"
    if level not in request_lines.levels:
        return
    line = {
        "time": instant_json(clock.now()),
        "level": level,
        "id": notes.id,
        "method": method,
        "route": notes.route.template if notes.route else notes.page,
        "status": notes.status,
        "ms": round(seconds * 1000, 2),
        "account": account,
    }
    if notes.trace_context is not None:
        line["trace_id"], line["span_id"] = notes.trace_context
    if notes.cause is not None:
        line["cause"] = notes.cause
    request_lines.add(line if notes.trace is None else line | {"error": notes.trace})


def request_id(scope: Scope) -> str:
    """Return the id that the client gave, if it is short and plain, or make one."""
    given = header(scope, b"x-request-id") or ""
    return given if _REQUEST_ID.fullmatch(given) else token_hex(16)
