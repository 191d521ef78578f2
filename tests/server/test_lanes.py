import asyncio
from collections.abc import Callable, Hashable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from queue import SimpleQueue
from threading import Event
from time import monotonic
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session
from sqlalchemy.util import await_only
from sqlalchemy.util.concurrency import in_greenlet

from db.errors import DatabaseBusy
from db.sql import engine
from db.sql.engine import transaction
from db.sql.postgresql import AT_ONCE
from db.sql.watch import silence
from security import tokens
from server import patience, security_schemes
from server.fair_turns import FairTurns
from server.lanes import Lane, Threads, Turns
from tests.conftest import HANGS_AFTER, Person, once
from tests.operations import Operation, code_of, for_each, request_of
from tests.server.conftest import TODOS

WRITERS = 8
A_LOCK = text("SELECT pg_advisory_xact_lock(4711)")


def take_turn(session: Session) -> None:
    """Wait for the database: on SQLite a transaction waits for the one before it by itself."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(A_LOCK)


@pytest.fixture
def slow_token(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Event]:
    """Let the look at one person's token wait for the database; the event says that it does."""

    def slow_down(slow: str) -> Event:
        waiting = Event()

        def identify(raw: str, *about: Any, **more: Any) -> tokens.Caller:
            if raw == slow:
                waiting.set()
                with transaction() as session:
                    take_turn(session)
            return tokens.identify(raw, *about, **more)

        monkeypatch.setattr(security_schemes, "identify", identify)
        return waiting

    return slow_down


def test_a_slow_look_at_a_token_stops_nobody_else(
    person: Person, visitor: httpx.Client, slow_token: Callable[[str], Event]
):
    waiting = slow_token(person.access_token)

    with ThreadPoolExecutor(1) as threads:
        with transaction() as session:
            take_turn(session)
            slow = threads.submit(person.client.get, TODOS)
            assert waiting.wait(HANGS_AFTER)
            others = [visitor.get(TODOS), visitor.get("/api/v1/auth/me"), visitor.get("/healthz")]
            was_done = slow.done()
        answer = slow.result(HANGS_AFTER)

    assert [other.status_code for other in others] == [200, 200, 200]
    assert not was_done
    assert answer.status_code == 200


def rename(person: Person, todo: dict[str, Any], number: int) -> httpx.Response:
    return person.client.put(f"{TODOS}/{todo['id']}", json={"title": f"{number}"})


def test_writes_that_wait_for_another_stop_no_reader(
    person: Person, visitor: httpx.Client, monkeypatch: pytest.MonkeyPatch
):
    todo, waiting = person.client.post(TODOS, json={"title": "x"}).json(), Event()

    def begin() -> AbstractContextManager[Session]:
        waiting.set()
        return transaction()

    monkeypatch.setattr("handlers.workspace.todos.transaction", begin)
    with ThreadPoolExecutor(WRITERS) as threads:
        with transaction() as session:
            session.execute(text("UPDATE tasks SET title = 'first' WHERE id = :id"), {"id": todo["id"]})
            slow = [threads.submit(rename, person, todo, number) for number in range(WRITERS)]
            assert waiting.wait(HANGS_AFTER)
            others = [visitor.get(TODOS) for _ in range(20)]
            were_done = [one.done() for one in slow]
        answers = [one.result(HANGS_AFTER) for one in slow]

    assert {other.status_code for other in others} == {200}
    assert not any(were_done)
    assert {answer.status_code for answer in answers} == {200}


def test_a_burst_of_writes_does_not_fail_for_want_of_a_connection(person: Person, monkeypatch: pytest.MonkeyPatch):
    todo = person.client.post(TODOS, json={"title": "x"}).json()
    if engine._Engines.on_loop is not None:
        monkeypatch.setattr(engine._Engines.on_loop.pool, "_timeout", 0)

    with ThreadPoolExecutor(5 * AT_ONCE) as threads:
        answers = list(threads.map(partial(rename, person, todo), range(5 * AT_ONCE)))

    assert {answer.status_code for answer in answers} == {200}


@pytest.fixture
def turns(monkeypatch: pytest.MonkeyPatch) -> SimpleQueue[tuple[str, Hashable]]:
    """Who begins to wait for a turn, and who gets one after waiting, in that order."""
    noted: SimpleQueue[tuple[str, Hashable]] = SimpleQueue()

    def noting(name: str, meaning: str) -> None:
        move = getattr(FairTurns, name)

        def note(lane: FairTurns, key: Hashable, *more: Any) -> Any:
            noted.put((meaning, key))
            return move(lane, key, *more)

        monkeypatch.setattr(FairTurns, name, note)

    noting("_queue_up", "waits")
    noting("_remember", "is served")
    return noted


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Event]:
    """Let writes of to-dos keep their turns until the event is set."""
    opened = Event()

    def begin() -> AbstractContextManager[Session]:
        if in_greenlet():
            hold(opened)
        else:
            opened.wait(HANGS_AFTER)
        return transaction()

    monkeypatch.setattr("handlers.workspace.todos.transaction", begin)
    yield opened
    opened.set()


CROWD = 64


def test_one_accounts_crowd_of_writes_keeps_another_waiting_for_two_turns_at_most(
    new_person: Callable[..., Person], turns: SimpleQueue[tuple[str, Hashable]], gate: Event
):
    hasty, other = new_person(), new_person()
    theirs, own = (one.client.post(TODOS, json={"title": "x"}).json() for one in (hasty, other))

    with ThreadPoolExecutor(CROWD + 1) as threads:
        crowd = [threads.submit(rename, hasty, theirs, number) for number in range(CROWD)]
        wait_until(turns, UUID(hasty.uuid), CROWD - (AT_ONCE if engine.waits_on_loop() else 1))
        written = threads.submit(rename, other, own, 1)
        first = wait_until(turns, UUID(other.uuid), 1)
        gate.set()
        answers = [one.result(HANGS_AFTER) for one in (*crowd, written)]

    waits = turns_before([first, *(turns.get_nowait() for _ in range(turns.qsize()))], UUID(other.uuid))
    assert waits
    assert max(waits) <= 2
    assert {answer.status_code for answer in answers} == {200}


def wait_until(turns: SimpleQueue[tuple[str, Hashable]], whose: Hashable, count: int) -> tuple[str, Hashable]:
    """Wait until so many of somebody's requests wait for a turn, and return the last move."""
    while True:
        move = turns.get(timeout=HANGS_AFTER)
        count -= {("waits", whose): 1, ("is served", whose): -1}.get(move, 0)
        if not count:
            return move


def turns_before(moves: list[tuple[str, Hashable]], whose: Hashable) -> list[int]:
    """Count, for each time that somebody waits, how many others are served meanwhile."""
    begun = [place for place, move in enumerate(moves) if move == ("waits", whose)]
    ended = [place for place, move in enumerate(moves) if move == ("is served", whose)]
    return [[move for move, _ in moves[b:e]].count("is served") for b, e in zip(begun, ended, strict=True)]


@for_each(lambda operation: operation.method == "GET")
def test_a_read_waits_for_no_writer(operation: Operation, person: Person):
    request = request_of(operation, person)
    person.client.request(**request)

    with transaction() as session:
        session.execute(text("UPDATE accounts SET updated_at = updated_at"))
        response = person.client.request(**request)

    assert response.status_code == operation.success


def hold(event: Event) -> bool:
    return await_only(asyncio.get_running_loop().run_in_executor(None, event.wait, 10))


@once
@pytest.mark.parametrize(("lane", "held"), [(Turns, hold), (Threads, lambda event: event.wait(HANGS_AFTER))])
def test_whoever_waits_too_long_for_a_turn_is_told_to_come_back_and_takes_none_along(
    base_url: str, lane: Callable[[int], Lane], held: Callable[[Event], bool], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(patience, "LONGEST_WAIT_SECONDS", 0.01)
    done = Event()

    async def work() -> list[Any]:
        only = lane(1)
        first = asyncio.create_task(only.run(partial(held, done)))
        await asyncio.sleep(0)
        refused = await asyncio.gather(only.run(dict), only.run(dict), return_exceptions=True)
        done.set()
        return [*refused, await first, await only.run(lambda: "next")]

    *refused, first, following = asyncio.run(work())

    assert [(one.status, one.code, one.headers["Retry-After"]) for one in refused] == [(503, "busy", "5")] * 2
    assert (first, following) == (True, "next")


@pytest.mark.on("postgresql")
@pytest.mark.parametrize("lane", [Turns, Threads])
def test_whoever_waits_while_the_database_is_found_hanging_is_told_so(
    base_url: str, lane: Callable[[int], Lane], monkeypatch: pytest.MonkeyPatch
):
    done = Event()

    async def work() -> list[Any]:
        only = lane(1)
        first = asyncio.create_task(only.run(partial(hold, done) if lane is Turns else done.wait))
        await asyncio.sleep(0)
        waiting = asyncio.create_task(only.run(dict))
        await asyncio.sleep(0)
        monkeypatch.setattr(silence, "until", monotonic() + 60)
        refused = await asyncio.gather(waiting, only.run(dict), return_exceptions=True)
        monkeypatch.undo()
        done.set()
        return [*refused, await first, await only.run(lambda: "next")]

    *refused, first, following = asyncio.run(work())

    assert [type(one) for one in refused] == [DatabaseBusy] * 2
    assert (first, following) == (True, "next")


FILL = text(
    "WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < 2000)"
    " INSERT INTO tasks (account_id, uuid, title, title_key, description, description_key, status, priority,"
    " created_at, updated_at) SELECT :owner, lower(hex(randomblob(16))), 'x', 'x', :words, :words, 1,"
    " 1, :at, :at FROM numbers"
)


@pytest.mark.on("sqlite")
def test_a_search_through_very_much_is_ended_and_the_next_one_answered(person: Person, monkeypatch: pytest.MonkeyPatch):
    with transaction(limited=False) as session:
        words = "all work and no play makes jack a dull boy. " * 220
        session.execute(FILL, {"owner": person.id, "words": words, "at": "2026-01-01 00:00:00.000000"})
    search = partial(person.client.get, "/v1/tasks", params={"search": "needle"})

    with monkeypatch.context() as patch:
        patch.setattr(engine, "BUDGET_SECONDS", 0.002)
        ended = search()
    following = search()

    assert code_of(ended) == (503, "database_busy")
    assert int(ended.headers["retry-after"]) > 0
    assert (following.status_code, following.json()["total"]) == (200, 0)
