"""Healthy clients of a trial: they ask and read as they should. They run in a process of their own."""

import asyncio
from dataclasses import dataclass, field
from time import perf_counter

TODOS = "/api/v1/todo/todos"


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
