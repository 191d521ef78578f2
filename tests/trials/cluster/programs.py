"""Programs of the cluster: processes that are started, killed and started again, and none of which is left behind."""

import os
import signal
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from shutil import which
from time import monotonic, sleep

from tests.trials.people import PLAIN

PACKAGES = {
    "etcd": "etcd-server",
    "haproxy": "haproxy",
    "patroni": "patroni",
    "patronictl": "patroni",
    "pgbouncer": "pgbouncer",
    "redis-server": "redis-server",
    "setpriv": "util-linux",
}
SYSTEM = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where Debian has its programs: scripts such as Patroni find Debian's own Python there."""

POSTGRESQL = Path("/usr/lib/postgresql")
AS_NOBODY_ELSE = ["setpriv", "--pdeathsig", "KILL"]
"""A program ends with this process, even when this process is killed."""

AS_POSTGRES = [*AS_NOBODY_ELSE, "--reuid", "postgres", "--regid", "postgres", "--init-groups"]
PATIENCE_SECONDS = 120
"""How long anything may take that is no promise, on a busy machine."""


def missing_packages() -> set[str]:
    """Name the Debian packages that are needed and not there."""
    missing = {package for program, package in PACKAGES.items() if which(program, path=SYSTEM) is None}
    return missing if postgresql_binaries() else missing | {"postgresql"}


def postgresql_binaries() -> Path | None:
    """Find the newest PostgreSQL's folder of programs."""
    versions = sorted(POSTGRESQL.glob("*/bin/initdb"), key=lambda path: int(path.parts[4]))
    return versions[-1].parent if versions else None


def free_ports(count: int) -> list[int]:
    """Find ports of 127.0.0.1 that nobody listens on."""
    with_ports = [socket.socket() for _ in range(count)]
    for one in with_ports:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in with_ports]
    for one in with_ports:
        one.close()
    return ports


def wait_until(what: str, is_so: Callable[[], bool], within: float = PATIENCE_SECONDS) -> None:
    """Wait for something to become true. Raises `RuntimeError` when it takes too long."""
    deadline = monotonic() + within
    while not is_so():
        if monotonic() > deadline:
            raise RuntimeError(f"not within {within:.0f} s: {what}")
        sleep(0.1)


@dataclass
class Program:
    """A program in a process group of its own, with a log."""

    name: str
    command: Sequence[str]
    folder: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    as_postgres: bool = True
    workplace: Path | None = None
    process: subprocess.Popen[bytes] | None = None

    @property
    def is_running(self) -> bool:
        """Whether it runs."""
        return self.process is not None and self.process.poll() is None

    def start(self) -> None:
        """Start it; under root, as somebody whom PostgreSQL and PgBouncer let run them."""
        before = AS_POSTGRES if self.as_postgres and os.geteuid() == 0 else AS_NOBODY_ELSE
        known = {**PLAIN, **({"PATH": SYSTEM} if self.as_postgres else {}), **self.environment}
        with (self.folder / f"{self.name}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [*before, *self.command],
                cwd=self.workplace or self.folder,
                env=known,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def kill(self) -> None:
        """End it and what it has started, as `kill -9` does."""
        if self.process is not None:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()

    def stop(self) -> int:
        """Ask it to end (SIGTERM), and return its exit code."""
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(PATIENCE_SECONDS)
