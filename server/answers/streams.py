"""Answers of any length: a list is sent page by page, and the next page is read when the one before has gone.

Between two pages nothing is kept for the client but its connection.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from itertools import chain
from typing import Any

import orjson
from starlette.types import Message, Receive, Send

from db.sql.listings import Pages
from server.answers.answers import NOT_KEPT, Answer, json_answer
from server.asgi import hung_up

NextPart = Callable[[], Awaitable[bytes | None]]


def answer_of(status: int, content: Any) -> Answer:
    """Write content as JSON; where a list in it goes on after its first page, the rest is left to be written."""
    name, pages = _list_in(content)
    if pages is None:
        return json_answer(status, content)
    page = next(pages)
    if not pages.has_more:
        return json_answer(status, page if name is None else content | {name: page})
    before, after = (b"", b"") if name is None else _around(content, name)
    parts = _parts(chain((page,), pages), pages, before, after)
    return Answer(status, [(b"content-type", b"application/json"), NOT_KEPT], next(parts), rest=parts)


def _list_in(content: Any) -> tuple[str | None, Pages | None]:
    if isinstance(content, dict):
        for name, value in content.items():
            if isinstance(value, Pages):
                return name, value
    return None, content if isinstance(content, Pages) else None


def _around(content: dict[str, Any], name: str) -> tuple[bytes, bytes]:
    names = list(content)
    place = names.index(name)
    before = b"".join(b"%b:%b," % (orjson.dumps(one), orjson.dumps(content[one])) for one in names[:place])
    after = b"".join(b",%b:%b" % (orjson.dumps(one), orjson.dumps(content[one])) for one in names[place + 1 :])
    return b"{%b%b:" % (before, orjson.dumps(name)), after + b"}"


def _parts(rows_of: Iterator[list[Any]], pages: Pages, before: bytes, after: bytes) -> Iterator[bytes]:
    text, comma = before + b"[", b""
    for page in rows_of:
        rows = orjson.dumps(page)[1:-1]
        pages.fit(len(rows))
        if rows:
            text, comma = b"%b%b%b" % (text, comma, rows), b","
        if pages.has_more:
            yield text
            text = b""
    yield b"%b]%b" % (text, after)


async def send_parts(answer: Answer, next_part: NextPart, receive: Receive, send: Send) -> None:
    """Send an answer and its rest, part by part, for as long as the client is there."""
    await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
    hang_up = asyncio.ensure_future(hung_up(receive))
    part: bytes | None = answer.body
    try:
        while part is not None and not hang_up.done():
            await send(_body(part))
            # Nothing more to say, but it is said only when what was said before has gone.
            await send(_body(b""))
            part = await next_part()
        await send({"type": "http.response.body"})
    finally:
        hang_up.cancel()


def _body(part: bytes) -> Message:
    return {"type": "http.response.body", "body": part, "more_body": True}
