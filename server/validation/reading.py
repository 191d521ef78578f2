"""Reading of request bodies: whole, within bounds and under one media type, before Connexion validates them.

Connexion 3.3 does none of that by itself: it has no limit, takes a chunked body for a missing one, and validates no
body that is called `APPLICATION/JSON`.
"""

from connexion.middleware.abstract import RoutedAPI, RoutedMiddleware
from connexion.operations import AbstractOperation
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from werkzeug.http import parse_options_header

from server.asgi import header
from server.errors.refusals import payload_too_large, unsupported_media_type

MOST_BYTES = 1_048_576
"""The longest body that is read: 1 MiB."""

JSON = "application/json"


class BodyReader:
    """Reads the bodies of one operation's requests, and passes each on in one piece."""

    def __init__(self, next_app: ASGIApp) -> None:
        self.next_app = next_app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the body and pass it on. Raises a `Refusal` (413, 415)."""
        if _declared_length(scope) > MOST_BYTES:
            raise payload_too_large(MOST_BYTES)
        body = await _read(receive)
        if body is None:
            return  # The client hung up before its request was whole: there is nobody to answer.
        content_type = header(scope, b"content-type")
        if content_type != JSON and (body or content_type is not None):
            _refuse_other_media_types(content_type)
            scope["headers"] = _with_plain_media_type(scope)

        async def receive_body() -> Message:
            return {"type": "http.request", "body": body, "more_body": False}

        await self.next_app(scope, receive_body, send)


class BodyReading(RoutedMiddleware["_API"]):
    """The slot before Connexion's request validation; operations without a body go straight on."""


class _API(RoutedAPI[ASGIApp]):
    def __init__(self, *args: object, **kwargs: object) -> None:
        super().__init__(*args, **kwargs)  # type: ignore[arg-type]
        self.add_paths()

    def make_operation(self, operation: AbstractOperation) -> ASGIApp:
        return BodyReader(self.next_app) if operation.request_body else self.next_app


BodyReading.api_cls = _API


async def _read(receive: Receive) -> bytes | None:
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MOST_BYTES:
            raise payload_too_large(MOST_BYTES)
        if not message.get("more_body", False):
            return b"".join(parts)


def _declared_length(scope: Scope) -> int:
    # What is no number is left to the body itself, which is counted as well; twenty digits are too many in any case.
    length = header(scope, b"content-length") or "0"
    return int(length[:20]) if length.isdecimal() else 0


def _refuse_other_media_types(content_type: str | None) -> None:
    media_type, options = parse_options_header(content_type)
    if media_type.lower() != JSON or options.get("charset", "utf-8").lower() not in ("utf-8", "utf8"):
        raise unsupported_media_type()


def _with_plain_media_type(scope: Scope) -> list[tuple[bytes, bytes]]:
    others = [(name, value) for name, value in scope["headers"] if name != b"content-type"]
    return [*others, (b"content-type", JSON.encode())]
