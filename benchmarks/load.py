"""Load a server: a few connections, each of which sends one request after another for a given time."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from math import nan
from time import perf_counter, process_time, sleep
from typing import cast

import uvloop

from benchmarks.servers import ROOT


class Connection(asyncio.Protocol):
    """Sends the same request again as soon as it is answered, until the time is over."""

    def __init__(self, request: bytes, until: float, done: asyncio.Future[None]) -> None:
        self.request, self.until, self.done = request, until, done
        self.buffer = b""
        self.answered = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        head, separator, body = self.buffer.partition(b"\r\n\r\n")
        if not separator or len(body) < _length_of(head):
            return
        if head[9:10] != b"2":
            self.transport.close()
            return
        self.buffer = b""
        self.answered += 1
        if perf_counter() < self.until:
            self.transport.write(self.request)
        elif not self.done.done():
            self.done.set_result(None)
            self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (asyncio's name)
        if not self.done.done():
            self.done.set_exception(RuntimeError(f"the server hung up after {self.buffer[:200]!r}"))


def _length_of(head: bytes) -> int:
    return int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])


async def answered_within(port: int, request: bytes, *, connections: int, seconds: float) -> tuple[int, float]:
    """Send requests to a port of 127.0.0.1; return the number of answers and the seconds that it took."""
    loop = asyncio.get_running_loop()
    started = perf_counter()
    opened: list[Connection] = []
    for _ in range(connections):
        connection = Connection(request, started + seconds, loop.create_future())
        await loop.create_connection(lambda one=connection: one, "127.0.0.1", port)
        opened.append(connection)
    await asyncio.gather(*(one.done for one in opened))
    return sum(one.answered for one in opened), perf_counter() - started


class Result:
    """What a load came to: answers, the seconds that it took, and the driver's own processor time, in seconds."""

    answered = 0
    seconds = cpu = nan


@contextmanager
def driven(port: int, request: bytes, *, connections: int, seconds: float) -> Iterator[Result]:
    """Load a server from a separate process; half-way through the block is run, and after it the result is there."""
    command = [sys.executable, "-m", "benchmarks.load", str(port), str(connections), str(seconds)]
    pipe, result = subprocess.PIPE, Result()
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe) as process:
        assert process.stdin is not None
        process.stdin.write(request)
        process.stdin.close()
        process.stdin = None
        assert process.stdout is not None
        process.stdout.readline()
        sleep(seconds / 2)
        yield result
        out, _ = process.communicate(timeout=60)
    if process.returncode:
        raise SystemExit("the driver failed; what it says of that stands above")
    answered, taken, cpu = out.split()
    result.answered, result.seconds, result.cpu = int(answered), float(taken), float(cpu)


if __name__ == "__main__":
    port, connections, seconds = sys.argv[1:]
    request = sys.stdin.buffer.read()
    print("begun", flush=True)
    before = process_time()
    load = answered_within(int(port), request, connections=int(connections), seconds=float(seconds))
    print(*uvloop.run(load), process_time() - before)
