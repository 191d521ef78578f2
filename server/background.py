"""Background work: what the server does beside its requests, in short steps that take turns with them."""

import asyncio
import logging
from asyncio import Event, Task
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from time import perf_counter

import clock
from db import sweeping
from db.accounts.purging import purge_some
from db.errors import Unavailable
from log import kinds_of
from security.tokens import access_lifetime
from server.errors.refusals import Refusal
from server.lanes import BrokenOff, Lane

HOUR = 3_600
RETRY_SECONDS = 5

LAST_STEP_SECONDS = 1
"""How long the end of the server waits for a step that has begun."""

_log = logging.getLogger(__name__)


class Job:
    """Something to do step by step: at the start, at once when it is called for, and else now and then."""

    def __init__(self, step: Callable[[], bool], *, every_seconds: float) -> None:
        """Take the function that does one step of a few milliseconds, and returns whether there is more to do."""
        self.step = step
        self.every_seconds = every_seconds
        self.is_called_for = Event()
        self.is_over = False

    async def keep_on(self, lane: Lane) -> None:
        """Do it until it is ended. What fails is logged, and tried again after some seconds."""
        while not self.is_over:
            self.is_called_for.clear()
            try:
                await self._take_steps(lane)
                wait = self.every_seconds
            except BrokenOff:
                return
            except (Unavailable, Refusal) as error:
                _log.warning("%s has to wait (%s)", self.step.__qualname__, kinds_of(error))
                wait = RETRY_SECONDS
            except Exception:  # noqa: BLE001 (whatever it is, it must not end the job)
                _log.exception("%s failed", self.step.__qualname__)
                wait = RETRY_SECONDS
            with suppress(TimeoutError):
                await asyncio.wait_for(self.is_called_for.wait(), wait)

    async def _take_steps(self, lane: Lane) -> None:
        has_more = True
        while has_more and not self.is_over:
            began = perf_counter()
            has_more = await lane.run(self.step)
            # Half of the time belongs to others: other processes too, which SQLite's lock does not let in by turns.
            await asyncio.sleep(perf_counter() - began)

    def end(self) -> None:
        """End it after the step that has begun."""
        self.is_over = True
        self.is_called_for.set()


def purge() -> bool:
    """Take one step at what no longer decides whether a token counts; return whether there is more to do here."""
    return bool(purge_some(at=clock.now(), access_lifetime=access_lifetime()))


@asynccontextmanager
async def background_work(lane: Lane) -> AsyncIterator[None]:
    """Do the server's jobs until it ends."""
    sweeper, purger = Job(sweeping.sweep, every_seconds=HOUR), Job(purge, every_seconds=HOUR)
    loop = asyncio.get_running_loop()

    def call() -> None:
        loop.call_soon_threadsafe(sweeper.is_called_for.set)

    sweeping.listeners.add(call)
    try:
        async with _doing(sweeper, purger, lane=lane):
            yield
    finally:
        sweeping.listeners.discard(call)


@asynccontextmanager
async def _doing(*jobs: Job, lane: Lane) -> AsyncIterator[None]:
    tasks: list[Task[None]] = [asyncio.create_task(job.keep_on(lane)) for job in jobs]
    try:
        yield
    finally:
        for job in jobs:
            job.end()
        _, late = await asyncio.wait(tasks, timeout=LAST_STEP_SECONDS)
        for task in late:
            task.cancel()
