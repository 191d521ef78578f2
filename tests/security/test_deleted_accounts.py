"""What becomes of a request whose account is deleted after its token was checked: every operation of every contract."""

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import text

import clock
from db.membership import leave
from db.sql.engine import autocommit, transaction
from db.tasks.tasks import Task, new_task
from security.tokens import Caller, Kind, identify
from tests.conftest import Person
from tests.operations import Operation, bearer, for_each, request_of

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
def test_a_request_and_the_deletion_of_its_account_do_not_wait_for_each_other(
    database_url: str, person: Person, monkeypatch: pytest.MonkeyPatch
):
    with transaction() as session:
        task = new_task(session, RECURRING, owner=person.id, at=clock.now())
    repeat = Task._repeat
    deletions: list[Future[None]] = []

    def repeat_after_deletion(*about: Any) -> None:
        # The task is locked, so the deletion waits for it; and the next occurrence will wait for the account.
        if not deletions:
            deletions.append(threads.submit(delete_patiently, person.id))
            wait_until_somebody_waits()
        repeat(*about)

    monkeypatch.setattr(Task, "_repeat", repeat_after_deletion)

    with ThreadPoolExecutor(1) as threads:
        response = person.client.put(f"/api/v1/todo/todos/{task.id}", json={"status": "completed"}, timeout=20)
        deletions[0].result(20)

    # Begun anew, the request finds its account gone or, a moment before, its task.
    assert response.status_code in {401, 404}


def delete_patiently(account_id: int) -> None:
    with transaction() as session:
        session.execute(text("SET LOCAL deadlock_timeout = '15s'"))
        leave(session, account_id)


def wait_until_somebody_waits() -> None:
    waiting = text("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'DELETE FROM acc%'")
    with autocommit() as connection:
        while connection.execute(waiting).first() is None:
            pass
