from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from threading import Event
from typing import Any

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from db.sql import engine
from db.sql.engine import AT_ONCE, transaction
from security import tokens
from server import security_schemes
from tests.conftest import Person
from tests.operations import Operation, for_each, request_of
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
            assert waiting.wait(10)
            others = [visitor.get(TODOS), visitor.get("/api/v1/auth/me"), visitor.get("/healthz")]
            was_done = slow.done()
        answer = slow.result(10)

    assert [other.status_code for other in others] == [200, 200, 200]
    assert not was_done
    assert answer.status_code == 200


def rename(person: Person, todo: dict[str, Any], number: int) -> httpx.Response:
    return person.client.put(f"{TODOS}/{todo['id']}", json={"title": f"{number}"}, timeout=20)


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
            assert waiting.wait(10)
            others = [visitor.get(TODOS, timeout=2) for _ in range(20)]
            were_done = [one.done() for one in slow]
        answers = [one.result(20) for one in slow]

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


@for_each(lambda operation: operation.method == "GET")
def test_a_read_waits_for_no_writer(operation: Operation, person: Person):
    request = request_of(operation, person)
    person.client.request(**request)

    with transaction() as session:
        session.execute(text("UPDATE accounts SET updated_at = updated_at"))
        response = person.client.request(**request, timeout=2)

    assert response.status_code == operation.success
