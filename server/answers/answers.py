"""Answers: what goes back over HTTP, complete, so that it crosses from thread to event loop once."""

from dataclasses import dataclass, field
from datetime import datetime

import orjson
from starlette.types import Send

from server.contracts import Contract
from server.errors.refusals import Refusal

Headers = list[tuple[bytes, bytes]]

_NOT_KEPT = (b"cache-control", b"no-store")
"""Answers hold tokens and people's own things: no cache may keep them (RFC 6749, section 5.1)."""


@dataclass(slots=True)
class Answer:
    """A status, headers and a body."""

    status: int
    headers: Headers = field(default_factory=list)
    body: bytes = b""

    async def send(self, send: Send) -> None:
        """Send it over ASGI. The server leaves the body out where the request was HEAD."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": self.body})


def json_answer(status: int, content: object, media_type: bytes = b"application/json") -> Answer:
    """Write content as JSON."""
    body = orjson.dumps(content)
    return Answer(status, [(b"content-type", media_type), (b"content-length", b"%d" % len(body)), _NOT_KEPT], body)


def error_answer(refusal: Refusal, contract: Contract, *, at: datetime) -> Answer:
    """Give a refusal the contract's shape."""
    answer = json_answer(refusal.status, contract.error(refusal, at), contract.media_type.encode())
    answer.headers += [(name.lower().encode(), value.encode()) for name, value in refusal.headers.items()]
    return answer
