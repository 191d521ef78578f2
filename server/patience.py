"""Patience: requests wait for their turn for ten seconds at most, and not at all while the database hangs."""

import asyncio
from asyncio import Future
from math import inf
from time import monotonic
from typing import TYPE_CHECKING, Any

from db.errors import DatabaseBusy
from db.sql.engine import waits_on_loop
from db.sql.watch import BUDGET_SECONDS, is_silent
from server.errors.refusals import busy

if TYPE_CHECKING:
    from concurrent.futures import Future as Job

LONGEST_WAIT_SECONDS = 10

RETRY_AFTER_SECONDS = 5


class Patience:
    """Those who wait in one place. Whoever has waited too long has his turn cancelled.

    They write themselves into `waiting`, and call `look_soon` unless there is a `next_look`.
    """

    def __init__(self) -> None:
        self.waiting: dict[Future[Any], tuple[float, Job[Any] | None]] = {}
        """Since when each has waited, and the work that it waits for where that is a thread's."""
        self.next_look: asyncio.TimerHandle | None = None
        # Only PostgreSQL can be found hanging, and then they have to know at once.
        self.tick = 0.05 if waits_on_loop() else 0.5

    def look_soon(self) -> None:
        """Look after them for as long as there are any."""
        self.next_look = asyncio.get_running_loop().call_later(self.tick, self._look)

    def _look(self) -> None:
        now, silent = monotonic(), is_silent()
        for turn, (since, job) in self.waiting.items():
            if job is None or not (job.running() or job.done()):
                longest = 0 if silent else LONGEST_WAIT_SECONDS
            else:
                # It ends by itself; only psycopg takes longer to give up opening a connection.
                longest = BUDGET_SECONDS if silent else inf
            if now - since > longest:
                turn.cancel()
        self.next_look = None
        if self.waiting:
            self.look_soon()


def refusal() -> Exception:
    """Return what to raise for somebody who has waited in vain (503)."""
    return DatabaseBusy() if is_silent() else busy(RETRY_AFTER_SECONDS)
