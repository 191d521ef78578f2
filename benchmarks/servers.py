"""Start and stop the servers to measure, each in one process."""

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
}
SECONDS_TO_START = 30


@dataclass(frozen=True)
class Server:
    """A server that listens on this machine."""

    pid: int
    port: int

    def cpu_seconds(self) -> float:
        """Return the processor time, user and system, that the process has used; nan where there is no /proc."""
        times = Path(f"/proc/{self.pid}/stat")
        if not times.exists():
            return nan
        # The command's name stands in parentheses and may have spaces; utime and stime are 11 fields behind it.
        user, system = times.read_text().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


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
