from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from time import sleep

import httpx
import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from db.sql.engine import autocommit, transaction
from tests.conftest import HANGS_AFTER, PASSWORD, Person
from tests.operations import code_of
from tests.server.conftest import TODOS, Log

# A file has no connections that could end.
pytestmark = pytest.mark.on("postgresql")

Restart = Callable[[], None]

KILL_THE_OTHERS = text(
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
)


@pytest.fixture
def restart() -> Restart:
    """End all connections to the database, as its restart does."""

    def end_connections() -> None:
        with autocommit() as connection:
            assert all(connection.execute(KILL_THE_OTHERS).scalars())

    return end_connections


def test_the_request_after_the_database_was_restarted_is_answered(person: Person, restart: Restart):
    person.client.get(TODOS)
    restart()

    response = person.client.get(TODOS)

    assert response.status_code == 200


def test_a_write_after_the_database_was_restarted_is_done_once(person: Person, restart: Restart):
    todo = person.client.post(TODOS, json={"title": "before"}).json()
    restart()

    changed = person.client.put(f"{TODOS}/{todo['id']}", json={"title": "after"})
    restart()
    made = person.client.post(TODOS, json={"title": "once"})

    assert (changed.status_code, made.status_code) == (200, 201)
    assert [one["title"] for one in person.client.get(TODOS).json()] == ["once", "after"]


def test_a_login_after_the_database_was_restarted_is_answered(
    anonymous: httpx.Client, person: Person, restart: Restart
):
    credentials = {"email": person.email, "password": PASSWORD}
    anonymous.post("/api/v1/auth/login", json=credentials)
    restart()

    response = anonymous.post("/api/v1/auth/login", json=credentials)

    assert response.status_code == 200


def test_a_server_is_ready_as_soon_as_its_database_is_back(anonymous: httpx.Client, restart: Restart):
    anonymous.get("/readyz")
    restart()

    response = anonymous.get("/readyz")

    assert response.status_code == 200


def test_many_requests_at_once_after_a_restart_are_all_answered(person: Person, restart: Restart):
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda _: person.client.get(TODOS), range(16)))
        restart()
        answers = list(threads.map(lambda _: person.client.get(TODOS), range(16)))

    assert {answer.status_code for answer in answers} == {200}


A_LOCK = text("LOCK TABLE tasks IN ACCESS EXCLUSIVE MODE")
END_WHO_WAITS = text(
    "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
    " WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%tasks%'"
)


@pytest.fixture
def locked() -> Iterator[Session]:
    """Let all that need tasks wait."""
    with transaction(limited=False) as session:
        session.execute(A_LOCK)
        yield session


def end_who_waits() -> None:
    """End the connection of whoever waits for the lock, as soon as there is one."""
    ended: list[bool] = []
    with autocommit() as connection:
        while not ended:
            sleep(0.02)
            ended = [*connection.execute(END_WHO_WAITS).scalars()]


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_whose_connection_is_ended_under_it_may_be_sent_again(person: Person, locked: Session, method: str):
    with ThreadPoolExecutor(1) as threads:
        asked = threads.submit(person.client.request, method, TODOS, json={"title": "x"} if method == "POST" else None)
        end_who_waits()
        answer = asked.result(HANGS_AFTER)
    locked.connection().exec_driver_sql("ROLLBACK")

    assert code_of(answer) == (503, "database_unavailable")
    assert answer.headers["retry-after"] == "1"
    assert person.client.get(TODOS).json() == []


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_request_that_waits_too_long_for_a_lock_is_told_to_come_back(
    person: Person, locked: Session, log: Log, method: str
):
    answer = person.client.request(method, TODOS, json={"title": "x"} if method == "POST" else None)
    locked.connection().exec_driver_sql("ROLLBACK")

    line = log.line_of(answer.headers["x-request-id"])
    assert code_of(answer) == (503, "database_busy")
    assert (line["level"], line["cause"].split()[0], "57014" in line["cause"]) == ("warning", "DatabaseBusy", True)
    assert "error" not in line
    assert person.client.get(TODOS).json() == []
