"""Fair turns: where more requests come than can run at once, nobody's crowd keeps the others waiting.

Whoever waits does so under a key, a client's address for example. The next turn goes to the key whose last turn was the
longest ago, so keys that all keep waiting take turns one by one, and one that has not been here lately comes first.
"""

import asyncio
from asyncio import CancelledError, Future
from bisect import insort
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress
from itertools import count
from time import monotonic
from typing import TypeVar

from starlette.types import Receive

from server.asgi import hung_up
from server.errors.refusals import busy
from server.patience import RETRY_AFTER_SECONDS, Patience, refusal

REFUSAL_SECONDS = 1
"""How long whoever may not wait is left without an answer. Whoever is refused asks again; eighty connections that ask
again at once take the processor from those whose turn it is."""

KEYS_REMEMBERED = 1_024
"""Of how many keys it is known when they had their last turn; any other key counts as new."""

Result = TypeVar("Result")


class FairTurns:
    """A number of turns at once, and the queue for them, which is fair by key."""

    def __init__(self, turns: int, *, most: int, most_of_one: int, name: str = "") -> None:
        """Let `most` wait at once, and `most_of_one` under one key."""
        self.name = name
        self.refused = 0
        self.free = turns
        self.most, self.most_of_one = most, most_of_one
        self.waiting = 0
        self.queues: dict[Hashable, deque[Future[bool]]] = {}
        self.order: list[tuple[int, int, Hashable]] = []
        """One entry for each key that waits: when it had its last turn, when it came, and the key itself."""
        self.last_turns: OrderedDict[Hashable, int] = OrderedDict()
        self.now = count(1)
        self.patience = Patience()

    async def run(self, work: Callable[[], Awaitable[Result]], *, key: Hashable, receive: Receive) -> Result:
        """Do some work when it is the key's turn.

        Raises a `Refusal` (503) when too many wait already, when a turn does not come in time (server/patience.py), and
        when the client hangs up meanwhile, which `receive` tells.
        """
        if self.free:
            self.free -= 1
            self._remember(key)
        else:
            await self._wait(key, receive)
        try:
            return await work()
        finally:
            self._hand_on()

    def is_full_for(self, key: Hashable) -> bool:
        """Check whether no more may wait under a key: it has its share, or all places are taken by others as poor."""
        own = len(self.queues.get(key, ()))
        return own >= self.most_of_one or (self.waiting >= self.most and self._longest() <= own + 1)

    async def _wait(self, key: Hashable, receive: Receive) -> None:
        if self.is_full_for(key):
            with suppress(CancelledError):
                await asyncio.sleep(REFUSAL_SECONDS)
            self.refused += 1
            raise busy(RETRY_AFTER_SECONDS)
        place, hang_up = self._queue_up(key), asyncio.ensure_future(hung_up(receive))
        self.patience.waiting[place] = monotonic(), None
        if self.patience.next_look is None:
            self.patience.look_soon()
        try:
            await asyncio.wait((place, hang_up), return_when=asyncio.FIRST_COMPLETED)
            stays = not hang_up.done()
        except CancelledError:
            stays = False  # The server is told to stop.
        del self.patience.waiting[place]
        hang_up.cancel()
        has_turn = place.done() and not place.cancelled() and place.result()
        if has_turn and stays:
            return
        if has_turn:
            self._hand_on()
        elif place in self.queues.get(key, ()):
            self._leave(key, place)
        self.refused += 1
        raise refusal()

    def _queue_up(self, key: Hashable) -> Future[bool]:
        if self.waiting >= self.most:
            self._push_out()
        place: Future[bool] = asyncio.get_running_loop().create_future()
        if key not in self.queues:
            self.queues[key] = deque()
            self._line_up(key)
        self.queues[key].append(place)
        self.waiting += 1
        return place

    def _longest(self) -> int:
        return max(map(len, self.queues.values()))

    def _push_out(self) -> None:
        # The newest of the longest queue goes: several crowds together cannot take all places either.
        crowd = max(self.queues, key=lambda key: len(self.queues[key]))
        place = self.queues[crowd][-1]
        self._leave(crowd, place)
        if not place.done():
            place.set_result(False)

    def _leave(self, key: Hashable, place: Future[bool]) -> None:
        self.queues[key].remove(place)
        self.waiting -= 1
        if not self.queues[key]:
            del self.queues[key]
            self.order = [one for one in self.order if one[2] != key]

    def _hand_on(self) -> None:
        if not self.order:
            self.free += 1
            return
        _, _, key = self.order.pop(0)
        place = self.queues[key].popleft()
        self.waiting -= 1
        self._remember(key)
        if self.queues[key]:
            self._line_up(key)
        else:
            del self.queues[key]
        if place.done():  # Its patience has ended, just now.
            self._hand_on()
        else:
            place.set_result(True)

    def _line_up(self, key: Hashable) -> None:
        insort(self.order, (self.last_turns.get(key, 0), next(self.now), key))

    def _remember(self, key: Hashable) -> None:
        self.last_turns[key] = next(self.now)
        self.last_turns.move_to_end(key)
        if len(self.last_turns) > KEYS_REMEMBERED:
            self.last_turns.popitem(last=False)
