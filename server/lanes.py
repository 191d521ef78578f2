"""Lanes: where plain functions that ask the database run, so that none of them stops the event loop."""

import asyncio
import os
from asyncio import CancelledError, Future
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from math import inf
from time import monotonic
from typing import Any, TypeVar

from sqlalchemy.util import greenlet_spawn

from db.errors import DatabaseBusy
from db.sql.engine import AT_ONCE, waits_on_loop
from db.sql.watch import BUDGET_SECONDS, is_silent
from server.errors.refusals import busy

READERS = 2
"""Under the GIL more threads take turns more often and answer less (four of them a tenth less)."""

LONGEST_QUEUE = 64
"""How many logins may wait; a quarter of a second each, this is about as long as a client waits."""

LONGEST_WAIT_SECONDS = 10
"""How long a request waits for its turn."""

TICK_SECONDS = 0.05

Result = TypeVar("Result")


class BrokenOff(Exception):
    """The server is told to stop, and no longer waits for what still runs."""


class Patience:
    """Those who wait in a lane: for ten seconds at most, and in vain while the database hangs."""

    def __init__(self) -> None:
        self.waiting: dict[Future[Any], tuple[float, Callable[[], bool]]] = {}
        self.next_look: asyncio.TimerHandle | None = None

    async def wait(self, turn: Future[Result], has_begun: Callable[[], bool]) -> Result:
        """Wait for a turn, or what comes of it. Raises a `Refusal` or `DatabaseBusy` (503), or `BrokenOff`."""
        self.waiting[turn] = monotonic(), has_begun
        if self.next_look is None:
            self.next_look = asyncio.get_running_loop().call_later(TICK_SECONDS, self._look)
        try:
            return await turn
        except CancelledError as error:
            task = asyncio.current_task()
            if task is None or task.cancelling():
                raise BrokenOff from error
            raise (DatabaseBusy() if is_silent() else busy(retry_after=5)) from None
        finally:
            del self.waiting[turn]

    def _look(self) -> None:
        now, silent = monotonic(), is_silent()
        for turn, (since, has_begun) in self.waiting.items():
            # What has begun ends by itself; only psycopg takes longer to give up opening a connection.
            longest = (0 if silent else LONGEST_WAIT_SECONDS) if not has_begun() else BUDGET_SECONDS if silent else inf
            if now - since > longest:
                turn.cancel()
        waits = bool(self.waiting)
        self.next_look = asyncio.get_running_loop().call_later(TICK_SECONDS, self._look) if waits else None


class Threads:
    """A few threads and the queue before them. Work crosses into a thread once and its result back once."""

    def __init__(self, count: int, *, longest_queue: int | None = None) -> None:
        self.executor = ThreadPoolExecutor(count)
        self.longest_queue = longest_queue
        self.patience = Patience()

    @property
    def is_full(self) -> bool:
        """Whether too much waits already."""
        return self.longest_queue is not None and len(self.patience.waiting) >= self.longest_queue

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run a function in a thread. Raises a `Refusal` or `DatabaseBusy` (503) when it cannot begin soon."""
        if self.is_full:
            raise busy(retry_after=5)
        job = self.executor.submit(_unless_silent, work)
        return await self.patience.wait(asyncio.wrap_future(job), lambda: job.running() or job.done())


def _unless_silent(work: Callable[[], Result]) -> Result:
    if is_silent():
        raise DatabaseBusy
    return work()


class Turns:
    """The event loop, in turns: a burst of requests is slow, but none of it fails for want of a connection."""

    def __init__(self, count: int) -> None:
        self.free = count
        self.queue: deque[Future[None]] = deque()
        self.patience = Patience()

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run a function in a greenlet that is put aside while it waits for the database.

        Raises a `Refusal` or `DatabaseBusy` (503) when it cannot begin soon.
        """
        if self.free:
            self.free -= 1
        else:
            await self._wait()
        try:
            # Who found the database hanging may have passed the turn on.
            if is_silent():
                raise DatabaseBusy
            return await greenlet_spawn(work)
        except CancelledError as error:
            raise BrokenOff from error
        finally:
            self._pass_on()

    async def _wait(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self.queue.append(turn)
        try:
            await self.patience.wait(turn, lambda: False)
        except BaseException:
            # It may have come in the same moment.
            if not turn.cancelled():
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        while self.queue:
            turn = self.queue.popleft()
            if not turn.done():
                turn.set_result(None)
                return
        self.free += 1


Lane = Threads | Turns


class Lanes:
    """The lanes of a server."""

    def __init__(self) -> None:
        on_loop = Turns(AT_ONCE) if waits_on_loop() else None
        self.reads = on_loop or Threads(READERS)
        # SQLite has one writer at a time. In one thread they wait for each other without keeping a reader waiting.
        self.writes = on_loop or Threads(1)
        # bcrypt gets half the cores, so that twenty logins at once leave the others to all else.
        self.passwords = Threads(max(1, (os.cpu_count() or 1) // 2), longest_queue=LONGEST_QUEUE)

    def lane_of(self, method: str, *, hashes_password: bool) -> Lane:
        """Return the lane of an operation."""
        if hashes_password:
            return self.passwords
        return self.reads if method == "get" else self.writes
