"""Pauses: how long one request keeps all others waiting."""

import asyncio
import contextlib
import json
from collections.abc import Callable
from statistics import median
from time import perf_counter

from tests.trials.target import Target
from tests.trials.visitors import TODOS, Answers

PROBE = b"GET /api/v1/todo/todos HTTP/1.1\r\nHost: x\r\n\r\n"
"""Refused on the event loop, without a thread or the database: whoever waits for this waits for the loop or the GIL."""

MEBIBYTE = 2**20
LONGEST_SECONDS = 20


def _chunked(target: Target, rest: bytes) -> bytes:
    return target.request("POST", TODOS, "Content-Type: application/json", "Transfer-Encoding: chunked") + rest


def _titled(target: Target, title: str) -> bytes:
    return target.request("POST", TODOS, body=json.dumps({"title": title}).encode())


def _brackets(target: Target) -> bytes:
    body = b"[" + b"[]," * (MEBIBYTE // 3 - 2) + b"[]]"
    return target.request("POST", "/v1/auth/refresh", body=body, token=False)


def _many_values() -> bytes:
    return json.dumps({"preferences": {"many": [0] * 16_300}}).encode()


def _longest_body() -> bytes:
    text, skill = "\U0001f331" * 10_000, "\U0001f331" * 100
    members = {"description": text, "quantifiable_results": text, "core_skills_json": [skill] * 100}
    return json.dumps({"title": "\U0001f331" * 200, **members}).encode()


WORST: dict[str, Callable[[Target], bytes]] = {
    "a body of brackets": _brackets,
    "a title of 1 MiB": lambda target: _titled(target, "a" * (MEBIBYTE - 50)),
    "a title against its pattern": lambda target: _titled(target, "a" * 24_000 + "\0"),
    "a query of 64 KiB": lambda target: target.request("GET", f"{TODOS}?{'a=b&' * 16_000}"),
    "a query of one long value": lambda target: target.request("GET", f"{TODOS}?limit={'1' * 64_000}"),
    "as many values as may be": lambda target: target.request("PUT", "/v1/users/me", body=_many_values()),
    "the longest body": lambda target: target.request("POST", "/api/v1/anchor/achievements", body=_longest_body()),
    "a search for what is nowhere": lambda target: target.request("GET", "/v1/tasks?search=nowhere"),
    "1,000 tasks in detail": lambda target: target.request("GET", "/v1/tasks?limit=1000"),
    "a list without a limit": lambda target: target.request("GET", TODOS),
    "100 headers": lambda target: target.request("GET", "/healthz", *["X-Long: " + "x" * 600] * 95),
    "3,600 requests at once": lambda target: target.request("GET", TODOS, token=False) * 3_600,
    "trailers without an end": lambda target: _chunked(target, b"2\r\n{}\r\n0\r\n" + b"a: b\r\n" * 400_000),
    "chunks of one byte": lambda target: _chunked(target, b"1\r\n \r\n" * 400_000 + b"0\r\n\r\n"),
}
"""The worst requests of each kind."""


async def longest_pause(target: Target, name: str) -> float:
    """Return by how many seconds one of the worst requests delays another connection's at most: the median of three."""
    return median([await _longest_pause(target, WORST[name](target)) for _ in range(3)])


async def _longest_pause(target: Target, request: bytes) -> float:
    waits: list[float] = []
    probing = asyncio.create_task(_probe(target.port, waits))
    await asyncio.sleep(0.3)
    ordinary = median(waits)
    del waits[:]
    with contextlib.suppress(OSError, TimeoutError):
        await asyncio.wait_for(_send(target, request), LONGEST_SECONDS)
    await asyncio.wait({probing}, timeout=0.2)
    probing.cancel()
    await asyncio.gather(probing, return_exceptions=True)
    return max(waits, default=float(LONGEST_SECONDS)) - ordinary


async def _send(target: Target, request: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port)
    answers, expected = Answers(), max(1, min(500, request.count(b" HTTP/1.1\r\n")))
    writer.write(request)
    try:
        while len(answers.statuses) < expected and (piece := await reader.read(MEBIBYTE)):
            answers.feed(piece)
    finally:
        writer.close()


async def _probe(port: int, waits: list[float]) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    started = perf_counter()
    try:
        while True:
            started = perf_counter()
            writer.write(PROBE)
            head = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0]))
            waits.append(perf_counter() - started)
            await asyncio.sleep(0.003)
    except asyncio.CancelledError:
        waits.append(perf_counter() - started)
        raise
    finally:
        writer.close()
