"""Answers: what goes back over HTTP, complete, so that it crosses from thread to event loop once."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from typing import Any

import orjson
from starlette.types import Send

from server.contracts import Contract
from server.errors.refusals import Refusal

Headers = list[tuple[bytes, bytes]]

NOT_KEPT = (b"cache-control", b"no-store")
"""Answers hold tokens and people's own things: no cache may keep them (RFC 6749, section 5.1)."""


@dataclass(slots=True)
class Answer:
    """A status, headers and a body."""

    status: int
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    rest: Iterator[bytes] | None = None
    """What follows the body, where that is only the beginning (server/answers/streams.py)."""

    async def send(self, send: Send) -> None:
        """Send it over ASGI. The server leaves the body out where the request was HEAD."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


def json_answer(status: int, content: object, media_type: bytes = b"application/json") -> Answer:
    """Write content as JSON."""
    body = orjson.dumps(content)
    return Answer(status, [(b"content-type", media_type), (b"content-length", b"%d" % len(body)), NOT_KEPT], body)


def error_answer(refusal: Refusal, contract: Contract, *, at: datetime) -> Answer:
    """Give a refusal the contract's shape."""
    answer = json_answer(refusal.status, contract.error(refusal, at), contract.media_type.encode())
    answer.headers += [(name.lower().encode(), value.encode()) for name, value in refusal.headers.items()]
    return answer


def deprecation_notices(definition: Mapping[str, Any]) -> Headers:
    """Return the headers `Deprecation` (RFC 9745) and `Sunset` (RFC 8594) of an operation's answers.

    The contract says the days as `x-deprecated-on` and `x-sunset-on`; each begins at midnight UTC.
    """
    notices: Headers = []
    if "x-deprecated-on" in definition:
        since = int(_midnight(definition["x-deprecated-on"]).timestamp())
        notices.append((b"deprecation", b"@%d" % since))
    if "x-sunset-on" in definition:
        until = format_datetime(_midnight(definition["x-sunset-on"]), usegmt=True)
        notices.append((b"sunset", until.encode()))
    return notices


def _midnight(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(), UTC)
