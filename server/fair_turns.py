"""Fair turns: where more requests come than can run at once, nobody's crowd keeps the others waiting.

Whoever waits does so under a key: the account whose token the request has, or else the client's address. The next turn
goes to the key that last waited for one the longest ago, so keys that all keep waiting take turns one by one, and one
that has not been here lately comes first.
"""

import asyncio
from asyncio import CancelledError, Future
from bisect import insort
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from contextlib import suppress
from itertools import count
from math import inf
from threading import RLock
from time import monotonic
from typing import Any

from starlette.types import Receive

from server.asgi import hung_up
from server.errors.refusals import busy
from server.patience import RETRY_AFTER_SECONDS, Patience, why_cancelled

REFUSAL_SECONDS = 1
"""How long whoever may not wait is left without an answer. Whoever is refused asks again; eighty connections that ask
again at once take the processor from those whose turn it is."""

KEYS_REMEMBERED = 1_024
"""Of how many keys it is known when they last waited for a turn; any other key counts as new."""


class FairTurns:
    """A number of turns at once, and the queue for them, which is fair by key.

    Whoever finds some `free` takes one of them without a call, and gives it back by `hand_on` if anybody waits.
    """

    def __init__(self, turns: int, *, name: str = "", most: float = inf, most_of_one: float = inf) -> None:
        """Let `most` wait at once, and `most_of_one` under one key."""
        self.name = name
        self.free = turns
        self.most, self.most_of_one = most, most_of_one
        self.waiting = self.refused = 0
        """How many wait now, and how many have waited in vain or could not even wait."""
        self.queues: dict[Hashable, deque[Future[Any]]] = {}
        self.works: dict[Future[Any], Any] = {}
        """What those who wait want to do, where their turn is to begin it."""
        self.order: list[tuple[int, int, Hashable]] = []
        """One entry for each key that waits: when it had its last turn, when it came, and the key itself."""
        self.last_turns: OrderedDict[Hashable, int] = OrderedDict()
        self.now = count(1)
        self.lock = RLock()
        """Held by whoever looks at those who wait: threads take the next of them by themselves."""
        self.patience = Patience()

    def is_full_for(self, key: Hashable) -> bool:
        """Check whether no more may wait under a key: it has its share, or all places are taken by others as poor."""
        with self.lock:
            own = len(self.queues.get(key, ()))
            return own >= self.most_of_one or (self.waiting >= self.most and self._longest() <= own + 1)

    async def wait(self, key: Hashable, receive: Receive | None = None, work: Callable[[], Any] | None = None) -> Any:
        """Wait for the key's turn, and for what `begin` makes of it and of the work.

        Raises a `Refusal` or `DatabaseBusy` (503) when too many wait already, when a turn does not come in time
        (server/patience.py), when the server is told to stop, and when the client hangs up meanwhile, which `receive`
        tells if it is given.
        """
        if self.is_full_for(key):
            self.refused += 1
            with suppress(CancelledError):
                await asyncio.sleep(REFUSAL_SECONDS)
            raise busy(RETRY_AFTER_SECONDS)
        place: Future[Any] = asyncio.get_running_loop().create_future()
        self.works[place], self.patience.waiting[place] = work, [monotonic(), False]
        self._queue_up(key, place)
        hang_up = None if receive is None else _hang_up(receive, place)
        if self.patience.next_look is None:
            self.patience.look_soon()
        return await self._outcome(key, place, hang_up)

    async def _outcome(self, key: Hashable, place: Future[Any], hang_up: Future[None] | None) -> Any:
        outcome, stays = None, False
        try:
            with suppress(CancelledError):
                outcome = await place
                stays = hang_up is None or not hang_up.done()
        finally:
            _, has_begun = self.patience.waiting.pop(place)
            del self.works[place]
            if hang_up is not None:
                hang_up.cancel()
        if not stays:
            self._give_up(key, place)
            raise why_cancelled(has_begun=has_begun)
        return outcome

    def begin(self, place: Future[Any]) -> None:
        """Begin the turn of somebody who waits."""
        place.set_result(None)

    def hand_on(self) -> None:
        """Hand a turn on to the next who waits."""
        place = self.next_place()
        if place is None:
            self.free += 1
        else:
            self.begin(place)

    def next_place(self) -> Future[Any] | None:
        """Take the next who waits out of the queue; None when there is nobody."""
        with self.lock:
            while self.order:
                place = self._first_place()
                if not place.done():  # Else its patience has ended, just now.
                    return place
            return None

    def _queue_up(self, key: Hashable, place: Future[Any]) -> None:
        with self.lock:
            if self.waiting >= self.most:
                self._push_out()
            if key not in self.queues:
                self.queues[key] = deque()
                self._line_up(key)
            self.queues[key].append(place)
            self.waiting += 1

    def _longest(self) -> int:
        return max(map(len, self.queues.values()))

    def _push_out(self) -> None:
        # The newest of the longest queue goes: several crowds together cannot take all places either.
        crowd = max(self.queues, key=lambda key: len(self.queues[key]))
        place = self.queues[crowd][-1]
        self._leave(crowd, place)
        place.cancel()

    def _give_up(self, key: Hashable, place: Future[Any]) -> None:
        self.refused += 1
        if not place.cancelled():
            # Its turn came in the same moment.
            self.hand_on()
            return
        with self.lock:
            if place in self.queues.get(key, ()):
                self._leave(key, place)

    def _leave(self, key: Hashable, place: Future[Any]) -> None:
        self.queues[key].remove(place)
        self.waiting -= 1
        if not self.queues[key]:
            del self.queues[key]
            self.order = [one for one in self.order if one[2] != key]

    def _first_place(self) -> Future[Any]:
        _, _, key = self.order.pop(0)
        place = self.queues[key].popleft()
        self.waiting -= 1
        self._remember(key)
        if self.queues[key]:
            self._line_up(key)
        else:
            del self.queues[key]
        return place

    def _line_up(self, key: Hashable) -> None:
        insort(self.order, (self.last_turns.get(key, 0), next(self.now), key))

    def _remember(self, key: Hashable) -> None:
        self.last_turns[key] = next(self.now)
        self.last_turns.move_to_end(key)
        if len(self.last_turns) > KEYS_REMEMBERED:
            self.last_turns.popitem(last=False)


def _hang_up(receive: Receive, place: Future[Any]) -> Future[Any]:
    watching = asyncio.ensure_future(hung_up(receive))
    watching.add_done_callback(lambda _: place.cancel())
    return watching
