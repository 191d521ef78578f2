"""Patience: requests wait for their turn for ten seconds at most, and not at all while the database hangs."""

import asyncio
from asyncio import Future
from math import inf
from time import monotonic
from typing import Any

from db.errors import DatabaseBusy
from db.sql.engine import waits_on_loop
from db.sql.watch import BUDGET_SECONDS, is_silent
from server.errors.refusals import busy

LONGEST_WAIT_SECONDS = 10

RETRY_AFTER_SECONDS = 5


class Patience:
    """Those who wait in one place. Whoever has waited too long has his turn cancelled.

    They write themselves into `waiting`, and call `look_soon` unless there is a `next_look`.
    """

    def __init__(self) -> None:
        self.waiting: dict[Future[Any], list[Any]] = {}
        """Since when each has waited, and whether for work that has begun."""
        self.next_look: asyncio.TimerHandle | None = None
        # Only PostgreSQL can be found hanging, and then they have to know at once.
        self.tick = 0.05 if waits_on_loop() else 0.5

    def look_soon(self) -> None:
        """Look after them for as long as there are any."""
        self.next_look = asyncio.get_running_loop().call_later(self.tick, self._look)

    def _look(self) -> None:
        now, silent = monotonic(), is_silent()
        # What has begun ends by itself; only psycopg takes longer to give up opening a connection.
        before, after = (0, BUDGET_SECONDS) if silent else (LONGEST_WAIT_SECONDS, inf)
        for turn, (since, has_begun) in self.waiting.items():
            if now - since > (after if has_begun else before):
                turn.cancel()
        self.next_look = None
        if self.waiting:
            self.look_soon()


class BrokenOff(Exception):
    """The server is told to stop, and no longer waits for what still runs."""


def why_cancelled(*, has_begun: bool) -> Exception:
    """Return what to raise for somebody who has waited in vain: a refusal (503), unless his work has begun."""
    task = asyncio.current_task()
    if has_begun and (task is None or task.cancelling()):
        return BrokenOff()
    return DatabaseBusy() if is_silent() else busy(RETRY_AFTER_SECONDS)
