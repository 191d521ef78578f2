"""Lanes: where plain functions that ask the database run, so that none of them stops the event loop."""

import asyncio
import os
from asyncio import AbstractEventLoop, CancelledError, Future
from collections.abc import Callable, Hashable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import monotonic
from typing import Any, TypeVar

from sqlalchemy.util import greenlet_spawn
from starlette.types import Receive

from db.errors import DatabaseBusy
from db.sql.engine import waits_on_loop
from db.sql.postgresql import AT_ONCE
from db.sql.watch import is_silent, silence
from server.fair_turns import FairTurns
from server.patience import BrokenOff, why_cancelled

READERS = 2
"""Under the GIL more threads take turns more often and answer less (four of them a tenth less)."""

LONGEST_QUEUE = 512
"""How many logins and registrations may wait; whoever waits too long gives up (server/patience.py)."""

LONGEST_QUEUE_OF_ONE = 8
"""How many of them may come from one client address; one after the other they take two seconds."""

Result = TypeVar("Result")

Whose = Callable[[], Hashable] | None
"""Names whom a turn is for, and is asked only where somebody has to wait; None stands for the server itself."""


class Threads(FairTurns):
    """A few threads. Work crosses into a thread once and its result back once."""

    def __init__(self, count: int, **more: Any) -> None:
        super().__init__(count, **more)
        self.executor = ThreadPoolExecutor(count)

    async def run(self, work: Callable[[], Result], whose: Whose = None, receive: Receive | None = None) -> Result:
        """Run a function in a thread, when it is the turn of whose it is. Raises what `wait` and `whose` raise."""
        if silence.until and is_silent():
            self.refused += 1
            raise DatabaseBusy
        if not self.free:
            return await self.wait(whose and whose(), receive, work)
        self.free -= 1
        job = self.executor.submit(work)
        turn = asyncio.wrap_future(job)
        self.patience.waiting[turn] = [monotonic(), True]
        if self.patience.next_look is None:
            self.patience.look_soon()
        try:
            return await turn
        except CancelledError as error:
            raise why_cancelled(has_begun=True) from error
        finally:
            del self.patience.waiting[turn]
            if not job.done():
                loop = asyncio.get_running_loop()
                job.add_done_callback(lambda _: _call(loop, self.hand_on))
            elif self.waiting:
                self.hand_on()
            else:
                self.free += 1

    def begin(self, place: Future[Any]) -> None:
        """Begin the work of somebody who waits. The thread goes on with the next by itself, and with no pause."""
        self.executor.submit(self._work_on, place, place.get_loop())

    def _work_on(self, place: Future[Any] | None, loop: AbstractEventLoop) -> None:
        while place is not None:
            self._do(place, loop)
            place = self.next_place()
        # Somebody may have begun to wait just now.
        _call(loop, self.hand_on)

    def _do(self, place: Future[Any], loop: AbstractEventLoop) -> None:
        work, waiting = self.works.get(place), self.patience.waiting.get(place)
        if work is None or waiting is None or place.done():  # Its patience has ended, just now.
            return
        waiting[:] = monotonic(), True
        try:
            _call(loop, _settle, place, place.set_result, work())
        except BaseException as error:  # noqa: BLE001 (whatever it is, it belongs to who waits)
            _call(loop, _settle, place, place.set_exception, error)

    def _give_up(self, key: Hashable, place: Future[Any]) -> None:
        if place.cancelled():
            super()._give_up(key, place)


class Turns(FairTurns):
    """The event loop, in turns: a burst of requests is slow, but none of it fails for want of a connection."""

    async def run(self, work: Callable[[], Result], whose: Whose = None, receive: Receive | None = None) -> Result:
        """Run a function in a greenlet that is put aside while it waits for the database, when it is its turn.

        Raises what `wait` and `whose` raise.
        """
        if self.free:
            self.free -= 1
        else:
            await self.wait(whose and whose(), receive)
        try:
            # Who found the database hanging may have handed the turn on.
            if silence.until and is_silent():
                self.refused += 1
                raise DatabaseBusy
            return await greenlet_spawn(work)
        except CancelledError as error:
            raise BrokenOff from error
        finally:
            if self.waiting:
                self.hand_on()
            else:
                self.free += 1


Lane = Threads | Turns


def _call(loop: AbstractEventLoop, function: Callable[..., object], *values: object) -> None:
    with suppress(RuntimeError):  # The loop may be closed, and then nobody waits any more.
        loop.call_soon_threadsafe(function, *values)


def _settle(place: Future[Any], settle: Callable[[Any], None], outcome: object) -> None:
    if not place.done():
        settle(outcome)


def password_threads(processes: int) -> int:
    """Return how many passwords each of so many processes hashes at once.

    bcrypt gets half the cores, so that twenty logins at once leave the others to all else.
    """
    return max(1, (os.cpu_count() or 1) // 2 // processes)


class Lanes:
    """The lanes of a server, or of one of the processes that it consists of."""

    def __init__(self, processes: int = 1) -> None:
        on_loop = Turns(AT_ONCE, name="database") if waits_on_loop() else None
        self.reads = on_loop or Threads(READERS, name="reads")
        # SQLite has one writer at a time. In one thread they wait for each other without keeping a reader waiting.
        self.writes = on_loop or Threads(1, name="writes")
        hashers = password_threads(processes)
        self.passwords = Threads(hashers, name="passwords", most=LONGEST_QUEUE, most_of_one=LONGEST_QUEUE_OF_ONE)

    def lane_of(self, method: str, *, hashes_password: bool) -> Lane:
        """Return the lane of an operation."""
        if hashes_password:
            return self.passwords
        return self.reads if method == "get" else self.writes
