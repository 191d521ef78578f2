"""The driver: clients that write and read all the time, a ledger of what they were promised, and every failure."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread
from time import monotonic, sleep
from typing import Any

import httpx

from tests.trials.crash import PASSWORD, Refused, Writer
from tests.trials.ledger import Ledger
from tests.trials.people import Somebody, numbers

CLIENTS = 16
PAUSE_SECONDS = 0.05
"""Between two requests of a client: what is tried is not how much the machine can do."""

PAUSE_OF_REGISTRATIONS = 2
MOST_SECONDS_TO_AN_ANSWER = 20
READS = ("/api/leaderboard/xp", "/api/stats/summary", "/api/v1/todo/todos?limit=20", "/api/stats/me")


@dataclass
class Journal:
    """What was acknowledged, and what failed when, by readings of `monotonic`."""

    ledger: Ledger = field(default_factory=Ledger)
    answers: int = 0
    writes_at: list[float] = field(default_factory=list)
    failures: list[tuple[float, str]] = field(default_factory=list)

    def failures_since(self, began: float) -> Counter[str]:
        """Count what has failed since a moment, by kind."""
        return Counter(kind for at, kind in self.failures if at >= began)

    def writes_since(self, began: float) -> int:
        """Count the writes that were acknowledged since a moment."""
        return sum(at >= began for at in self.writes_at)

    def seconds_without(self, began: float) -> float:
        """Return how long it took from a moment until a write was acknowledged and nothing failed any more."""
        last_failure = max((at for at, _ in self.failures if at >= began), default=None)
        if last_failure is None:
            return 0
        return next((at for at in self.writes_at if at > last_failure), float("inf")) - began


@dataclass
class Client(Writer):
    """A writer whose answers go into the journal."""

    journal: Journal

    async def send(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request, and note what comes of it. Raises as `Writer.send`."""
        await asyncio.sleep(PAUSE_SECONDS)
        headers = {"Authorization": f"Bearer {self.person.token}"}
        try:
            response = await self.client.request(method, path, json=body, headers=headers)
        except httpx.TransportError as error:
            self.journal.failures.append((monotonic(), type(error).__name__))
            raise
        self.journal.answers += 1
        if not response.is_success:
            by = "" if "json" in response.headers.get("content-type", "") else " by HAProxy"
            self.journal.failures.append((monotonic(), f"{response.status_code}{by}"))
            raise Refused(f"{method} {path}: {response.status_code} {response.text[:300]}")
        if method != "GET":
            self.journal.writes_at.append(monotonic())
        return response.json() if response.content else None

    async def read(self) -> None:
        """Read what comes from replicas, and what does not."""
        for path in READS:
            await self.send("GET", path)

    async def join(self) -> None:
        """Register an account, now and then: hashing a password takes a quarter of a second."""
        await asyncio.sleep(PAUSE_OF_REGISTRATIONS)
        name = f"member{next(numbers)}"
        body = {"username": name, "email": f"{name}@quintet.example", "password": PASSWORD}
        with self.ledger.asking("registration", name, "there"):
            await self.send("POST", "/v1/auth/register", body)

    def chore(self, place: int) -> Callable[[], Awaitable[None]]:
        """Say what the client in this place does."""
        if place == 0:
            return self.join
        return (self.write_tasks, self.complete_recurring_tasks, self.complete_sessions, self.read)[place % 4]


class Driver:
    """Clients on an event loop in a thread of its own."""

    def __init__(self, url: str, people: list[Somebody]) -> None:
        self.journal = Journal()
        self.url, self.people = url, people
        self.is_over = self.is_paused = False
        self.busy = 0
        self.thread = Thread(target=lambda: asyncio.run(self._drive()), daemon=True)

    async def _drive(self) -> None:
        limits = httpx.Limits(max_connections=None, max_keepalive_connections=None)
        timeout = MOST_SECONDS_TO_AN_ANSWER
        async with httpx.AsyncClient(base_url=self.url, timeout=timeout, limits=limits, verify=False) as client:
            clients = [Client(client, self.journal.ledger, person, self.journal) for person in self.people]
            await asyncio.gather(*(self._keep_on(one.chore(place)) for place, one in enumerate(clients)))

    async def _keep_on(self, chore: Callable[[], Awaitable[None]]) -> None:
        while not self.is_over:
            if self.is_paused:
                await asyncio.sleep(PAUSE_SECONDS)
                continue
            self.busy += 1
            try:
                await chore()
            except (httpx.TransportError, Refused):
                await asyncio.sleep(PAUSE_SECONDS)
            finally:
                self.busy -= 1

    @contextmanager
    def driving(self) -> Iterator["Driver"]:
        """Drive until the end of the block."""
        self.thread.start()
        try:
            yield self
        finally:
            self.is_over = True
            self.thread.join(2 * MOST_SECONDS_TO_AN_ANSWER)

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Let nothing be under way."""
        self.is_paused = True
        try:
            while self.busy and self.thread.is_alive():
                sleep(PAUSE_SECONDS)
            yield
        finally:
            self.is_paused = False

    def wait_until_quiet(self, seconds: float, within: float) -> bool:
        """Wait until writes have been acknowledged, and nothing has failed, for so long; return whether they were."""
        deadline, began = monotonic() + within, monotonic()
        while monotonic() < deadline:
            sleep(0.1)
            since = max(began, monotonic() - seconds)
            if monotonic() - began >= seconds and self._is_quiet(since):
                return True
        return False

    def _is_quiet(self, since: float) -> bool:
        return not self.journal.failures_since(since) and self.journal.writes_since(since) > 0
