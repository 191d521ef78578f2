"""Turns that are fair by a key: whose is next, how many may wait, and what becomes of those who cannot."""

import asyncio
from asyncio import Event, Task
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from functools import partial
from typing import Any

import pytest
from starlette.types import Receive

from server import fair_turns, patience
from server.errors.refusals import Refusal
from server.fair_turns import FairTurns


@pytest.fixture(autouse=True)
def refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait for a refusal."""
    monkeypatch.setattr(fair_turns, "REFUSAL_SECONDS", 0)


class TurnsOfTasks(FairTurns):
    """Turns whose work is a task's."""

    async def run(self, work: Callable[[], Awaitable[Any]], key: Hashable, receive: Receive | None = None) -> Any:
        if self.free:
            self.free -= 1
        else:
            await self.wait(key, receive)
        try:
            return await work()
        finally:
            self.hand_on()


class Scene:
    """A single turn, which somebody has, and a queue for it."""

    def __init__(self, *, most: int = 64, most_of_one: int = 8) -> None:
        self.turns = TurnsOfTasks(1, most=most, most_of_one=most_of_one)
        self.end, self.started = Event(), list[Hashable]()
        self.first = self.ask("first", self.end)

    def ask(self, key: Hashable, until: Event | None = None, hangs_up: Event | None = None) -> Task[Hashable]:
        """Ask for a turn, which lasts until the event; the client stays unless another event says that it hangs up."""

        async def work() -> Hashable:
            self.started.append(key)
            if until is not None:
                await until.wait()
            return key

        async def receive() -> dict[str, Any]:
            await (hangs_up or Event()).wait()
            return {"type": "http.disconnect"}

        return asyncio.ensure_future(self.turns.run(work, key, receive))

    async def ask_all(self, keys: str) -> list[Task[Hashable]]:
        """Ask in this order, each letter a key."""
        asked = [self.ask(key) for key in keys]
        await settled()
        return asked

    async def order(self) -> str:
        """End the first turn, and tell in which order the others had theirs."""
        self.end.set()
        await self.first
        while self.turns.waiting or not self.turns.free:
            await asyncio.sleep(0)
        return "".join(str(key) for key in self.started[1:])


async def settled() -> None:
    """Let everything run that can run now."""
    for _ in range(10):
        await asyncio.sleep(0)


def on_a_loop(test: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(test, 30))


async def refused(asked: list[Task[Hashable]]) -> list[bool]:
    """Tell which of those that are done by now were refused."""
    await settled()
    return [one.done() and isinstance(one.exception(), Refusal) for one in asked]


@pytest.mark.parametrize(
    ("came", "had_turns"),
    [
        ("aaa", "aaa"),
        ("aaab", "abaa"),
        ("aaaabbbb", "abababab"),
        ("aaaabbc", "abcabaa"),
        ("bcaaa", "bcaaa"),
    ],
)
def test_keys_take_turns_in_the_order_in_which_they_came(came: str, had_turns: str):
    async def test() -> None:
        scene = Scene()

        await scene.ask_all(came)

        assert await scene.order() == had_turns

    on_a_loop(test())


def test_whose_last_turn_is_the_longest_ago_comes_first():
    async def test() -> None:
        scene = Scene()
        await scene.ask_all("cba")
        await scene.order()
        scene.end.clear()
        scene.started.clear()
        scene.first = scene.ask("first", scene.end)

        await scene.ask_all("aabbccd")

        assert await scene.order() == "dcbacba"

    on_a_loop(test())


def test_a_key_that_leaves_and_comes_back_does_not_count_as_new():
    async def test() -> None:
        scene = Scene()
        await scene.ask_all("x")
        await scene.order()
        scene.end.clear()
        scene.started.clear()
        scene.first = scene.ask("first", scene.end)

        await scene.ask_all("xabc")

        assert await scene.order() == "abcx"

    on_a_loop(test())


def test_only_the_keys_of_late_are_remembered(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fair_turns, "KEYS_REMEMBERED", 3)

    async def test() -> None:
        scene = Scene()
        await scene.ask_all("abcdefgh")

        await scene.order()

        assert list(scene.turns.last_turns) == ["f", "g", "h"]

    on_a_loop(test())


def test_one_key_has_its_share_of_places_and_no_more():
    async def test() -> None:
        scene = Scene(most=64, most_of_one=3)

        crowd, other = await scene.ask_all("aaaaa"), await scene.ask_all("b")

        assert await refused(crowd) == [False] * 3 + [True] * 2
        assert await refused(other) == [False]
        assert await scene.order() == "abaa"

    on_a_loop(test())


def test_when_all_places_are_taken_the_newest_of_the_longest_queue_makes_room():
    async def test() -> None:
        scene = Scene(most=6, most_of_one=3)
        crowds = await scene.ask_all("aaabbb")

        others = await scene.ask_all("cd")

        assert await refused(crowds) == [False, False, True, False, False, True]
        assert await refused(others) == [False, False]
        assert await scene.order() == "abcdab"

    on_a_loop(test())


def test_when_every_key_waits_once_no_more_may_wait():
    async def test() -> None:
        scene = Scene(most=4)
        waiting = await scene.ask_all("abcd")

        others = await scene.ask_all("ea")

        assert await refused(waiting) == [False] * 4
        assert await refused(others) == [True, True]

    on_a_loop(test())


def test_who_waits_and_who_waited_in_vain_is_counted():
    async def test() -> None:
        scene, hangs_up = Scene(most=3), Event()
        scene.ask("a", hangs_up=hangs_up)
        await scene.ask_all("bcb")
        assert (scene.turns.waiting, scene.turns.refused) == (3, 1)

        hangs_up.set()
        await settled()

        assert (scene.turns.waiting, scene.turns.refused) == (2, 2)
        await scene.order()
        assert (scene.turns.waiting, scene.turns.refused) == (0, 2)

    on_a_loop(test())


def test_whoever_is_refused_is_told_when_to_come_back():
    async def test() -> None:
        scene = Scene(most_of_one=0)

        (asked,) = await scene.ask_all("a")

        refusal = asked.exception()
        assert isinstance(refusal, Refusal)
        assert (refusal.status, refusal.code, dict(refusal.headers)) == (503, "busy", {"Retry-After": "5"})

    on_a_loop(test())


def test_whoever_is_refused_waits_a_little_for_that(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(fair_turns, "REFUSAL_SECONDS", 0.02)

    async def test() -> None:
        turns = TurnsOfTasks(0, most=0, most_of_one=0)
        loop = asyncio.get_running_loop()
        asked_at = loop.time()

        with pytest.raises(Refusal):
            await turns.run(Event().wait, "a")

        assert loop.time() - asked_at >= 0.019

    on_a_loop(test())


def test_a_client_that_hangs_up_gives_its_place_free():
    async def test() -> None:
        scene, hangs_up = Scene(most_of_one=2), Event()
        leaving = [scene.ask("a", hangs_up=hangs_up) for _ in range(2)]
        await settled()

        hangs_up.set()
        assert await refused(leaving) == [True, True]
        others = await scene.ask_all("aa")

        assert await refused(others) == [False, False]
        assert await scene.order() == "aa"

    on_a_loop(test())


def test_a_client_that_hangs_up_as_its_turn_comes_hands_it_on():
    async def test() -> None:
        scene, hangs_up = Scene(), Event()
        scene.ask("a", hangs_up=hangs_up)
        await scene.ask_all("b")

        hangs_up.set()

        assert await scene.order() == "b"

    on_a_loop(test())


def test_nobody_waits_for_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(patience, "LONGEST_WAIT_SECONDS", 0.01)

    async def test() -> None:
        scene = Scene()

        (asked,) = await scene.ask_all("a")
        with pytest.raises(Refusal):
            await asked

        assert (scene.turns.waiting, scene.turns.queues, scene.turns.order) == (0, {}, [])

    on_a_loop(test())


def test_the_longest_wait_is_ten_seconds():
    assert patience.LONGEST_WAIT_SECONDS == 10


def test_who_waits_when_the_server_stops_is_refused():
    async def test() -> None:
        scene = Scene()
        asked = await scene.ask_all("ab")

        for one in asked:
            one.cancel()

        assert await refused(asked) == [True, True]
        assert await scene.order() == ""

    on_a_loop(test())


def test_work_that_fails_gives_its_turn_back():
    async def fail() -> None:
        raise ZeroDivisionError

    async def test() -> None:
        turns = TurnsOfTasks(1, most=1, most_of_one=1)
        ask = partial(turns.run, fail, "a")

        for _ in range(3):
            with pytest.raises(ZeroDivisionError):
                await ask()

        assert turns.free == 1

    on_a_loop(test())


def test_hanging_up_again_and_again_leaves_nothing_behind_and_jumps_no_queue():
    async def test() -> None:
        scene = Scene()
        await scene.ask_all("x")
        for _ in range(100):
            hangs_up = Event()
            scene.ask("crowd", hangs_up=hangs_up)
            await settled()
            hangs_up.set()
            await settled()

        await scene.ask_all("ab")
        scene.ask("crowd")
        await settled()

        assert len(scene.turns.order) == 4
        assert await scene.order() == "xabcrowd"

    on_a_loop(test())
