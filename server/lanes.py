"""Lanes: where plain functions that ask the database run, so that none of them stops the event loop."""

import asyncio
import os
from asyncio import CancelledError, Future
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from time import monotonic
from typing import TypeVar

from sqlalchemy.util import greenlet_spawn

from db.errors import DatabaseBusy
from db.sql.engine import waits_on_loop
from db.sql.postgresql import AT_ONCE
from db.sql.watch import is_silent, silence
from server.fair_turns import FairTurns
from server.patience import Patience, refusal

READERS = 2
"""Under the GIL more threads take turns more often and answer less (four of them a tenth less)."""

LONGEST_QUEUE = 512
"""How many logins and registrations may wait; whoever waits too long gives up (server/patience.py)."""

LONGEST_QUEUE_OF_ONE = 8
"""How many of them may come from one client address; one after the other they take two seconds."""

Result = TypeVar("Result")


class BrokenOff(Exception):
    """The server is told to stop, and no longer waits for what still runs."""


def _why_cancelled() -> Exception:
    task = asyncio.current_task()
    if task is None or task.cancelling():
        return BrokenOff()
    return refusal()


class Threads:
    """A few threads and the queue before them. Work crosses into a thread once and its result back once."""

    def __init__(self, count: int) -> None:
        self.executor = ThreadPoolExecutor(count)
        self.patience = Patience()

    async def run(self, work: Callable[[], Result]) -> Result:
        """Run a function in a thread. Raises a `Refusal` or `DatabaseBusy` (503) when it cannot begin soon."""
        if silence.until and is_silent():
            raise DatabaseBusy
        job = self.executor.submit(work)
        turn = asyncio.wrap_future(job)
        self.patience.waiting[turn] = monotonic(), job
        if self.patience.next_look is None:
            self.patience.look_soon()
        try:
            return await turn
        except CancelledError as error:
            raise _why_cancelled() from error
        finally:
            del self.patience.waiting[turn]


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
            if silence.until and is_silent():
                raise DatabaseBusy
            return await greenlet_spawn(work)
        except CancelledError as error:
            raise BrokenOff from error
        finally:
            if self.queue:
                self._pass_on()
            else:
                self.free += 1

    async def _wait(self) -> None:
        turn = asyncio.get_running_loop().create_future()
        self.queue.append(turn)
        self.patience.waiting[turn] = monotonic(), None
        if self.patience.next_look is None:
            self.patience.look_soon()
        try:
            await turn
        except CancelledError as error:
            # It may have come in the same moment.
            if not turn.cancelled():
                self._pass_on()
            raise _why_cancelled() from error
        finally:
            del self.patience.waiting[turn]

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
        hashers = max(1, (os.cpu_count() or 1) // 2)
        self.passwords = Threads(hashers)
        self.password_turns = FairTurns(hashers, most=LONGEST_QUEUE, most_of_one=LONGEST_QUEUE_OF_ONE)

    def lane_of(self, method: str, *, hashes_password: bool) -> Lane:
        """Return the lane of an operation."""
        if hashes_password:
            return self.passwords
        return self.reads if method == "get" else self.writes
