"""Lanes: where plain functions that ask the database run, so that none of them stops the event loop."""

import asyncio
import os
from asyncio import CancelledError
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from sqlalchemy.util import greenlet_spawn

from db.sql.engine import AT_ONCE, waits_on_loop
from server.errors.refusals import busy
from server.fair_turns import FairTurns

READERS = 2
"""Under the GIL more threads take turns more often and answer less (four of them a tenth less)."""

LONGEST_QUEUE = 64
"""How many logins may wait."""

LONGEST_QUEUE_OF_ONE = 8
"""How many of them may come from one client address; one after the other they take two seconds."""

Result = TypeVar("Result")


class BrokenOff(Exception):
    """The server is told to stop, and no longer waits for what still runs."""


class Threads:
    """A few threads and the queue before them. Work crosses into a thread once and its result back once."""

    def __init__(self, count: int, *, longest_queue: int | None = None) -> None:
        self.executor = ThreadPoolExecutor(count)
        self.longest_queue = longest_queue
        self.waiting = 0

    @property
    def is_full(self) -> bool:
        """Whether too much waits already."""
        return self.longest_queue is not None and self.waiting >= self.longest_queue

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run a function in a thread. Raises a `Refusal` (503) when too much waits already."""
        if self.is_full:
            raise busy(retry_after=5)
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self.executor, work)
        except CancelledError as error:
            raise BrokenOff from error
        finally:
            self.waiting -= 1


class Turns:
    """The event loop, in turns: a burst of requests is slow, but none of it fails for want of a connection."""

    def __init__(self, count: int) -> None:
        self.free = asyncio.Semaphore(count)

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run a function in a greenlet that is put aside while it waits for the database."""
        try:
            async with self.free:
                return await greenlet_spawn(work)
        except CancelledError as error:
            raise BrokenOff from error


Lane = Threads | Turns


class Lanes:
    """The lanes of a server."""

    def __init__(self) -> None:
        on_loop = Turns(AT_ONCE) if waits_on_loop() else None
        self.reads = on_loop or Threads(READERS)
        # SQLite has one writer at a time. In one thread they wait for each other without keeping a reader waiting.
        self.writes = on_loop or Threads(1)
        # bcrypt gets half the cores, so that twenty logins at once leave the others to all else.
        hashers = max(1, (os.cpu_count() or 1) // 2)
        self.passwords = Threads(hashers)
        self.password_turns = FairTurns(hashers, most=LONGEST_QUEUE, most_of_one=LONGEST_QUEUE_OF_ONE)

    def lane_of(self, method: str, *, hashes_password: bool) -> Lane:
        """Return the lane of an operation."""
        if hashes_password:
            return self.passwords
        return self.reads if method == "get" else self.writes
