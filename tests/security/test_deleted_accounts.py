"""What becomes of a request whose account is deleted after its token was checked: every operation of every contract."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from time import monotonic, sleep
from typing import Any

import httpx
import pytest

import clock
from db.membership import leave
from db.sql.engine import transaction
from db.tasks.tasks import Task, new_task
from security.passwords import password_matches
from security.tokens import Caller, Kind, identify
from tests.conftest import HANGS_AFTER, PASSWORD, Person
from tests.operations import Operation, bearer, for_each, kept_of, request_of

RECURRING = {"title": "Water the plants", "recurrence": {"pattern_type": "daily"}}


def delete_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on, delete every account as soon as its token has been checked."""

    def identify_and_delete(raw: str, kind: Kind, *, at: datetime) -> Caller:
        caller = identify(raw, kind, at=at)
        with transaction() as session:
            leave(session, caller.account_id)
        return caller

    monkeypatch.setattr("server.security_schemes.identify", identify_and_delete)


@for_each(lambda operation: operation.token)
def test_a_deleted_account_is_no_failure_of_the_server(
    operation: Operation, person: Person, stranger: httpx.Client, monkeypatch: pytest.MonkeyPatch
):
    # Some account stays: focusguard's summary counts at least one.
    request = request_of(operation, person)
    delete_meanwhile(monkeypatch)

    response = person.client.request(**request)

    assert response.status_code != 500


@for_each(lambda operation: operation.token and operation.success == 201)
def test_nothing_is_made_for_a_deleted_account(operation: Operation, person: Person, monkeypatch: pytest.MonkeyPatch):
    request = request_of(operation, person)
    delete_meanwhile(monkeypatch)

    response = person.client.request(**request)

    # What the new thing refers to may be missed before its account is.
    assert response.status_code in {operation.deleted_account, 404}


def test_no_tokens_are_given_to_a_deleted_account(person: Person, monkeypatch: pytest.MonkeyPatch):
    delete_meanwhile(monkeypatch)

    response = person.client.post("/api/auth/refresh", headers=bearer(person.refresh_token))

    assert response.status_code == 401


@pytest.mark.on("postgresql")
@for_each(lambda operation: operation.token)
def test_a_closed_account_is_no_failure_of_the_server(
    operation: Operation, person: Person, stranger: httpx.Client, monkeypatch: pytest.MonkeyPatch
):
    request = request_of(operation, person)
    leave_all_to_sweepers(monkeypatch)
    delete_meanwhile(monkeypatch)

    response = person.client.request(**request)

    # It was let in before, so it may be answered as if it had come before.
    assert response.status_code in {operation.success, operation.deleted_account, 404}
    wait_until_swept(person)


def test_a_login_whose_account_is_closed_meanwhile_is_refused(
    person: Person, anonymous: httpx.Client, monkeypatch: pytest.MonkeyPatch
):
    def match_and_close(*about: Any) -> bool:
        person.close_account()
        return password_matches(*about)

    leave_all_to_sweepers(monkeypatch)
    monkeypatch.setattr("security.logins.password_matches", match_and_close)

    response = anonymous.post("/api/v1/auth/login", json={"email": person.email, "password": PASSWORD})

    assert response.status_code == 401


@pytest.mark.on("postgresql")
def test_a_deletion_does_not_wait_for_a_request_of_its_account(person: Person, monkeypatch: pytest.MonkeyPatch):
    with transaction() as session:
        task = new_task(session, RECURRING, owner=person.id, at=clock.now())
    repeat = Task._repeat

    def repeat_after_deletion(*about: Any) -> None:
        # The task is locked, and the next occurrence refers to the account.
        with ThreadPoolExecutor(1) as threads:
            threads.submit(person.close_account).result(HANGS_AFTER)
        repeat(*about)

    monkeypatch.setattr(Task, "_repeat", repeat_after_deletion)

    response = person.client.put(f"/api/v1/todo/todos/{task.id}", json={"status": "completed"})

    assert response.status_code == 200
    assert person.client.get(f"/api/v1/todo/todos/{task.id}").status_code == 401
    wait_until_swept(person)


def leave_all_to_sweepers(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on, close every account that is deleted as if it had many things."""
    monkeypatch.setattr("db.membership.sweep_account", lambda *_: False)


def wait_until_swept(person: Person) -> None:
    """Wait for the server's sweeper until nothing is left of a person."""
    deadline = monotonic() + HANGS_AFTER
    while any(rows for name, rows in kept_of(person).items() if name.startswith("own ")):
        assert monotonic() < deadline
        sleep(0.005)
