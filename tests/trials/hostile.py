"""Hostile clients of a trial: six kinds of connections that ask for too much, or never for anything."""

import asyncio
import json
import random
import socket
from dataclasses import dataclass, field
from time import perf_counter

from tests.trials.target import Target
from tests.trials.visitors import TODOS, Answers

DRIP_SECONDS = 1
PIPELINED = 3_600
LOGIN = "/api/v1/auth/login"


@dataclass
class Fate:
    """What became of one hostile connection."""

    answers: Answers = field(default_factory=Answers)
    opened_at: float = field(default_factory=perf_counter)
    closed_at: float | None = None

    @property
    def seconds(self) -> float | None:
        """How long the server let it stand, if it did not let it stand to the end."""
        return None if self.closed_at is None else self.closed_at - self.opened_at


def first_bytes(kind: str, target: Target) -> bytes:
    """Return what a hostile connection of a kind sends as it opens."""
    wrong = {"email": f"{random.getrandbits(60):x}@q.example", "password": "Harbor-Lantern-42"}
    return {
        "silent": b"",
        "half a head": b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Half: ",
        "half a body": target.request("POST", LOGIN, body=b" " * 16_000, token=False)[:-8_000],
        "never reading": target.request("GET", TODOS),
        "pipelining": target.request("GET", TODOS, token=False) * PIPELINED,
        "new logins": target.request("POST", LOGIN, body=json.dumps(wrong).encode(), token=False),
    }[kind]


KINDS = ("silent", "half a head", "half a body", "never reading", "pipelining", "new logins")
READS = {"pipelining", "new logins"}


async def attack(kind: str, target: Target, fates: list[Fate], until: float) -> None:
    """Keep one hostile connection until the server closes it or the time is over; those that ask anew do so."""
    while perf_counter() < until:
        fates.append(fate := Fate())
        connection = socket.socket()
        connection.setblocking(False)
        try:
            await _stand(kind, target, connection, fate, until)
        except OSError:
            fate.closed_at = perf_counter()
        finally:
            connection.close()
        if kind not in READS:
            return
        await asyncio.sleep(0.2)


async def _stand(kind: str, target: Target, connection: socket.socket, fate: Fate, until: float) -> None:
    loop = asyncio.get_running_loop()
    if kind == "never reading":
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    await loop.sock_connect(connection, ("127.0.0.1", target.port))
    reading = None if kind == "never reading" else loop.create_task(_read(kind, connection, fate))
    sending = loop.create_task(loop.sock_sendall(connection, first_bytes(kind, target)))
    try:
        while perf_counter() < until and fate.closed_at is None:
            await asyncio.sleep(DRIP_SECONDS if reading is None else 0.2)
            if kind.startswith("half") and random.random() < 0.2 / DRIP_SECONDS:
                await loop.sock_sendall(connection, b"x")
            if connection.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                fate.closed_at = perf_counter()
    finally:
        for task in (reading, sending):
            if task is not None:
                task.cancel()
                await asyncio.gather(task, return_exceptions=True)


async def _read(kind: str, connection: socket.socket, fate: Fate) -> None:
    loop = asyncio.get_running_loop()
    try:
        while piece := await loop.sock_recv(connection, 65_536):
            fate.answers.feed(piece)
            if kind == "new logins" and fate.answers.statuses:
                break
    except OSError:
        pass
    fate.closed_at = perf_counter()
