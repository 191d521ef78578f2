"""The queue of logins: however many come from some addresses, those of other addresses go on."""

import json
import os
import socket
from collections.abc import Callable, Iterator
from itertools import count
from queue import SimpleQueue
from select import select
from threading import Event
from typing import Any

import httpx
import pytest

from security import logins
from server import fair_turns
from server.fair_turns import FairTurns
from server.lanes import LONGEST_QUEUE, LONGEST_QUEUE_OF_ONE
from tests.conftest import HANGS_AFTER, once
from tests.server.conftest import TODOS, assert_problem, raw_request, read_answer

pytestmark = once

LOGIN = "/api/v1/auth/login"
HASHERS = max(1, (os.cpu_count() or 1) // 2)
CROWDED = "127.0.0.2"
OTHERS = [f"127.0.0.{number}" for number in range(3, 10)]

numbers = count(1)

Connect = Callable[..., socket.socket]


@pytest.fixture
def checked(monkeypatch: pytest.MonkeyPatch) -> SimpleQueue[str]:
    """The addresses whose logins were begun, in that order."""
    begun: SimpleQueue[str] = SimpleQueue()
    count_attempt = logins._count_attempt

    def note(whose: str, client_address: str, at: object) -> str:
        begun.put(client_address)
        return count_attempt(whose, client_address, at)  # type: ignore[arg-type]

    monkeypatch.setattr(logins, "_count_attempt", note)
    return begun


@pytest.fixture
def moves(monkeypatch: pytest.MonkeyPatch) -> SimpleQueue[tuple[str, Any]]:
    """Which addresses come into the queue, and which leave it before their turn."""
    noted: SimpleQueue[tuple[str, Any]] = SimpleQueue()

    def noting(name: str) -> None:
        move = getattr(FairTurns, name)

        def note(turns: FairTurns, key: str, *more: Any) -> Any:
            result = move(turns, key, *more)
            noted.put((name, key))
            return result

        monkeypatch.setattr(FairTurns, name, note)

    noting("_queue_up")
    noting("_leave")
    return noted


def wait_for(moves: SimpleQueue[tuple[str, Any]], *expected: tuple[str, str]) -> None:
    missing = set(expected)
    while missing:
        missing.discard(moves.get(timeout=HANGS_AFTER))


@pytest.fixture(autouse=True)
def refused_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait for a refusal."""
    monkeypatch.setattr(fair_turns, "REFUSAL_SECONDS", 0)


@pytest.fixture
def hashing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Event]:
    """Let the comparison of passwords take until the event is set."""
    done = Event()
    monkeypatch.setattr(logins, "password_matches", lambda *_: done.wait(HANGS_AFTER) and False)
    yield done
    done.set()


def ask_to_log_in(connect: Connect, source: str) -> socket.socket:
    """Send a login from an address, with a name that nobody has used before."""
    body = json.dumps({"email": f"nobody{next(numbers)}@x.example", "password": "x"}).encode()
    connection = connect(source)
    length = f"Content-Length: {len(body)}"
    connection.sendall(raw_request("POST", LOGIN, "Content-Type: application/json", length, body=body))
    return connection


def crowd(connect: Connect, checked: SimpleQueue[str], source: str = CROWDED) -> list[socket.socket]:
    """Take all turns that there are, and then all places for those who wait from this address."""
    running = [ask_to_log_in(connect, source) for _ in range(HASHERS)]
    for _ in running:
        checked.get(timeout=HANGS_AFTER)
    return running + [ask_to_log_in(connect, source) for _ in range(LONGEST_QUEUE_OF_ONE)]


def answered_of(connections: list[socket.socket], least: int) -> list[socket.socket]:
    """Wait until so many are answered, and tell which."""
    answered: list[socket.socket] = []
    while len(answered) < least:
        latest, _, _ = select([one for one in connections if one not in answered], [], [], 10)
        assert latest
        answered += latest
    return answered


def statuses_of(connections: list[socket.socket]) -> set[int]:
    return {read_answer(one).status for one in connections}


def test_twenty_logins_at_once_stop_nobody_else(connect: Connect, visitor: httpx.Client, hashing: Event):
    waiting = [ask_to_log_in(connect, source) for source in OTHERS[:4] * 5]

    others = [visitor.get(TODOS), visitor.get("/api/v1/auth/me"), visitor.get("/readyz"), visitor.get("/docs")]
    answered, _, _ = select(waiting, [], [], 0)
    hashing.set()

    assert [other.status_code for other in others] == [200, 200, 200, 200]
    assert answered == []
    assert statuses_of(waiting) == {401}


def test_a_login_that_finds_too_many_of_its_address_waiting_is_told_to_come_back(
    connect: Connect, hashing: Event, checked: SimpleQueue[str]
):
    waiting = crowd(connect, checked)
    waiting.append(ask_to_log_in(connect, CROWDED))

    (refused,) = answered_of(waiting, 1)
    answer = read_answer(refused)
    hashing.set()

    assert_problem(answer, 503, "busy")
    assert int(answer.headers["retry-after"]) > 0
    assert statuses_of([one for one in waiting if one is not refused]) == {401}


def test_eighty_logins_of_one_address_come_after_the_first_of_every_other(
    connect: Connect, hashing: Event, checked: SimpleQueue[str], moves: SimpleQueue[tuple[str, Any]]
):
    hostile = crowd(connect, checked) + [ask_to_log_in(connect, CROWDED) for _ in range(70)]
    refused = answered_of(hostile, 70)
    honest = [ask_to_log_in(connect, source) for source in OTHERS]
    wait_for(moves, *(("_queue_up", source) for source in OTHERS))
    hashing.set()
    begun = [checked.get(timeout=HANGS_AFTER) for _ in range(len(OTHERS) + HASHERS - 1)]

    assert set(OTHERS) <= set(begun)
    assert len(refused) == 70
    assert statuses_of(refused) == {503}
    assert statuses_of(honest) == {401}
    assert statuses_of([one for one in hostile if one not in refused]) == {401}


def test_crowds_of_many_addresses_take_no_place_from_another(
    connect: Connect, hashing: Event, checked: SimpleQueue[str]
):
    sources = [f"127.0.1.{number}" for number in range(1, LONGEST_QUEUE // LONGEST_QUEUE_OF_ONE + 3)]
    hostile = crowd(connect, checked)
    hostile += [ask_to_log_in(connect, source) for source in sources for _ in range(LONGEST_QUEUE_OF_ONE)]
    answered_of(hostile, len(hostile) - HASHERS - LONGEST_QUEUE)
    honest = [ask_to_log_in(connect, source) for source in OTHERS]
    answered_of(hostile, len(hostile) - HASHERS - LONGEST_QUEUE + len(OTHERS))
    hashing.set()

    assert statuses_of(honest) == {401}
    assert statuses_of(hostile) == {401, 503}


def test_a_client_that_hangs_up_gives_its_place_to_the_next(
    connect: Connect, hashing: Event, checked: SimpleQueue[str], moves: SimpleQueue[tuple[str, Any]]
):
    *waiting, gone = crowd(connect, checked)
    for _ in range(LONGEST_QUEUE_OF_ONE):
        wait_for(moves, ("_queue_up", CROWDED))

    gone.close()
    wait_for(moves, ("_leave", CROWDED))
    latest = ask_to_log_in(connect, CROWDED)
    wait_for(moves, ("_queue_up", CROWDED))
    hashing.set()

    assert statuses_of([*waiting, latest]) == {401}
