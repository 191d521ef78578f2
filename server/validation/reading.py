"""Reading of request bodies: whole, within bounds and under one media type, before Connexion validates them.

Connexion 3.3 does none of that by itself: it has no limit, takes a chunked body for a missing one, and validates no
body that is called `APPLICATION/JSON`.
"""

from math import ceil, log2
from typing import Any

from connexion.middleware.abstract import RoutedAPI, RoutedMiddleware
from connexion.operations import AbstractOperation
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from werkzeug.http import parse_options_header

from server.asgi import header
from server.errors.refusals import payload_too_large, unsupported_media_type
from server.validation.body_lengths import longest

MOST_BYTES = 1_048_576
"""The longest body that any operation takes: 1 MiB."""

MOST_BYTES_WITHOUT_TOKEN = 16_384
"""The longest body that anybody may send without a token: 16 KiB. The other operations take at least as much."""

ROOM = 4_096
"""What is left, beside the longest body that the schema allows, for white space and members that it does not know."""

JSON = "application/json"


class BodyReader:
    """Reads the bodies of one operation's requests, and passes each on in one piece."""

    def __init__(self, next_app: ASGIApp, *, most_bytes: int) -> None:
        self.next_app = next_app
        self.most_bytes = most_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body and pass it on. Raises a `Refusal` (413, 415)."""
        body = await _read(scope, receive, self.most_bytes)
        if body is None:
            return  # The client hung up before its request was whole: there is nobody to answer.
        content_type = header(scope, b"content-type")
        if content_type != JSON and (body or content_type is not None):
            _refuse_other_media_types(content_type)
            others = [one for one in scope["headers"] if one[0] != b"content-type"]
            scope["headers"] = [*others, (b"content-type", JSON.encode())]

        messages: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive_body() -> Message:
            # After the body, what is left to hear is that the client hangs up.
            return messages.pop() if messages else await receive()

        await self.next_app(scope, receive_body, send)


class _API(RoutedAPI[ASGIApp]):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.add_paths()

    def make_operation(self, operation: AbstractOperation) -> ASGIApp:
        if not operation.request_body:
            return self.next_app
        return BodyReader(self.next_app, most_bytes=most_bytes_of(operation))


class BodyReading(RoutedMiddleware[_API]):
    """The slot before Connexion's request validation; operations without a body go straight on."""

    api_cls = _API


def most_bytes_of(operation: AbstractOperation) -> int:
    """Return the length of the longest body that an operation takes: a power of two, no less than it could need."""
    needs_token = bool(operation.security) and all(operation.security)
    if not needs_token:
        return MOST_BYTES_WITHOUT_TOKEN
    needed = min(longest(operation.body_schema(JSON)) + ROOM, MOST_BYTES)
    return max(2 ** ceil(log2(needed)), MOST_BYTES_WITHOUT_TOKEN)


async def _read(scope: Scope, receive: Receive, most_bytes: int) -> bytes | None:
    # What is no number is left to the body itself, which is counted as well; twenty digits are too many in any case.
    declared = header(scope, b"content-length") or ""
    _refuse_longer(int(declared[:20]) if declared.isdecimal() else 0, most_bytes)
    body, more = bytearray(), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        body += message.get("body", b"")
        _refuse_longer(len(body), most_bytes)
        more = message.get("more_body", False)
    return bytes(body)


def _refuse_longer(length: int, most_bytes: int) -> None:
    if length > most_bytes:
        raise payload_too_large(f"The body is longer than {most_bytes} bytes.")


def _refuse_other_media_types(content_type: str | None) -> None:
    media_type, options = parse_options_header(content_type)
    if media_type.lower() != JSON or options.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise unsupported_media_type()
