"""Start and stop the servers to measure, each in one process unless WORKERS says otherwise."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from math import nan
from pathlib import Path
from time import monotonic, sleep

ROOT = Path(__file__).parent.parent
QUINTET = ("app.py",)
PEER = ("-m", "uvicorn", "benchmarks.fastapi_peer:app", "--no-access-log", "--log-level", "warning", "--loop", "uvloop")

SETTINGS = {
    "JWT_SECRET_KEY": "a-key-for-benchmarks-that-signs-nothing-else-0123456789",
    "ACCESS_TOKEN_EXPIRE_MINUTES": "1440",
    "WORKERS": "1",
}
SECONDS_TO_START = 30

CONNECTED, LISTENING = "01", "0A"
"""States of connections, as /proc/net/tcp writes them."""


@dataclass(frozen=True)
class Server:
    """A server that listens on this machine."""

    pid: int
    port: int

    def cpu_seconds(self, *, of_all: bool = False) -> float:
        """Return the processor time, user and system, that the process has used; nan where there is no /proc.

        `of_all`: with its children, those that have ended among them.
        """
        times = Path(f"/proc/{self.pid}/stat")
        if not times.exists():
            return nan
        # The command's name stands in parentheses and may have spaces; utime and stime are 11 fields behind it, and
        # behind them the same of children that have ended.
        used = times.read_text().rpartition(")")[2].split()[11 : 15 if of_all else 13]
        children = sum(one.cpu_seconds() for one in self._children()) if of_all else 0
        return sum(map(int, used)) / os.sysconf("SC_CLK_TCK") + children

    def workers(self) -> list["Server"]:
        """Return the processes that serve: its workers, or itself where it has none."""
        return [one for one in self._children() if one.connections(self.port, LISTENING)] or [self]

    def connections(self, port: int, state: str = CONNECTED) -> int:
        """Count the connections of the process that are in a state, at a port."""
        lines = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        sockets = {f"socket:[{line[9]}]" for line in lines if line[1].endswith(f":{port:04X}") and line[3] == state}
        return sum(str(one.readlink()) in sockets for one in Path(f"/proc/{self.pid}/fd").iterdir())

    def _children(self) -> list["Server"]:
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        return [Server(int(one), self.port) for one in children]


@contextmanager
def served(program: tuple[str, ...], checkout: Path = ROOT, **settings: str) -> Iterator[Server]:
    """Run a program of a checkout with this interpreter, until the context ends."""
    port = _free_port()
    ports = {"PORT": str(port), "UVICORN_PORT": str(port)}
    environment = {**os.environ, **SETTINGS, **ports, **settings}
    process = subprocess.Popen([sys.executable, *program], cwd=checkout, env=environment, stdout=subprocess.DEVNULL)
    try:
        _wait_for(process, port)
        yield Server(process.pid, port)
    finally:
        process.terminate()
        process.wait(10)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def _wait_for(process: subprocess.Popen[bytes], port: int) -> None:
    deadline = monotonic() + SECONDS_TO_START
    while process.poll() is None and monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            sleep(0.1)
        else:
            return
    raise SystemExit("a server did not start; what it says of that stands above")
