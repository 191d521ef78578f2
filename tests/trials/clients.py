"""Clients of a trial: those that ask and read as they should, and six kinds that do not."""

import asyncio
import json
import random
import socket
from dataclasses import dataclass, field
from time import perf_counter

from tests.trials.target import TODOS, Target

DRIP_SECONDS = 1
LOGIN = "/api/v1/auth/login"


@dataclass
class Answers:
    """What a connection has received, answer by answer."""

    statuses: list[int] = field(default_factory=list)
    buffer: bytes = b""

    def feed(self, piece: bytes) -> None:
        """Take what came, and note the statuses of answers that are whole."""
        self.buffer += piece
        while (end := _end_of_answer(self.buffer)) is not None:
            self.statuses.append(int(self.buffer[9:12]))
            self.buffer = self.buffer[end:]


def _end_of_answer(buffer: bytes) -> int | None:
    head, separator, _ = buffer.partition(b"\r\n\r\n")
    if not separator:
        return None
    start, lower = len(head) + 4, head.lower()
    if b"content-length:" in lower:
        end = start + int(lower.split(b"content-length:")[1].split(b"\r\n")[0])
    else:
        last = buffer.find(b"0\r\n\r\n", start)
        end = last + 5 if last >= 0 else len(buffer) + 1
    return end if end <= len(buffer) else None


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
        "pipelining": target.request("GET", TODOS, token=False) * 3_600,
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


@dataclass
class Visits:
    """What healthy clients met with: statuses, seconds, and answers that were cut off."""

    statuses: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    refused: int = 0
    cut_off: int = 0


def visit(target: tuple[int, str], seconds: float, clients: int, *, through_the_end: bool) -> Visits:
    """Be so many healthy clients for a time; half of them open a connection for each request.

    Where the server is told to stop meanwhile, a connection that is refused is no failure.
    """
    visits, until = Visits(), perf_counter() + seconds
    port, token = target

    async def all_of_them() -> None:
        await asyncio.gather(
            *(_visit(port, token, visits, until, keeps=n % 2 == 0, ends=through_the_end) for n in range(clients))
        )

    asyncio.run(all_of_them())
    return visits


async def _visit(port: int, token: str, visits: Visits, until: float, *, keeps: bool, ends: bool) -> None:
    common = f"HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n"
    body = '{"title": "Water the plants"}'
    posted = f"POST {TODOS} {common}Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n{body}"
    requests, connection = [f"GET {TODOS}?limit=20 {common}\r\n".encode(), posted.encode()], None
    while perf_counter() < until:
        started, answers = perf_counter(), Answers()
        try:
            connection = connection or await asyncio.open_connection("127.0.0.1", port)
            connection[1].write(requests[0])
            while not answers.statuses and (piece := await asyncio.wait_for(connection[0].read(65_536), 30)):
                answers.feed(piece)
        except (OSError, TimeoutError):
            pass
        if answers.statuses:
            visits.statuses += answers.statuses
            visits.seconds.append(perf_counter() - started)
        else:
            visits.cut_off += bool(answers.buffer)
            visits.refused += 1
            if ends:
                return
        if not keeps or not answers.statuses:
            if connection:
                connection[1].close()
            connection = None
        requests.reverse()
        await asyncio.sleep(0.05)
