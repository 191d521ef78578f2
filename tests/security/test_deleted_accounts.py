"""What becomes of a request whose account is deleted after its token was checked: every operation of every contract."""

from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from db.accounts import close_account
from db.clock import now
from db.engine import autocommit, transaction
from db.tasks import Task, new_task
from security.tokens import Caller, Kind, identify
from server.contracts import CONTRACTS
from server.routes import Operation, routes_of
from tests.conftest import Person
from tests.contract_truth import resolved

RECURRING = {"title": "Water the plants", "recurrence": {"pattern_type": "daily"}}

Routed = tuple[str, str, Operation]
SECURED: list[Routed] = [
    (method, route.template, operation)
    for route in routes_of(CONTRACTS)
    for method, operation in route.operations.items()
    if any(operation.definition.get("security", operation.contract.document["security"]))
]

each_secured_operation = pytest.mark.parametrize("routed", SECURED, ids=lambda routed: routed[2].operation_id)


@pytest.fixture
def deleted_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    """Delete every account as soon as its token has been checked."""

    def identify_and_delete(raw: str, kind: Kind, *, at: datetime) -> Caller:
        caller = identify(raw, kind, at=at)
        with transaction() as session:
            close_account(session, caller.account_id)
        return caller

    monkeypatch.setattr("server.token_check.identify", identify_and_delete)


@each_secured_operation
def test_a_deleted_account_is_no_failure_of_the_server(person: Person, deleted_meanwhile: None, routed: Routed):
    response = example_request(person, routed)

    assert response.status_code != 500


@pytest.mark.parametrize(
    "routed",
    [routed for routed in SECURED if "201" in routed[2].definition["responses"]],
    ids=lambda routed: routed[2].operation_id,
)
def test_nothing_is_made_for_a_deleted_account(person: Person, deleted_meanwhile: None, routed: Routed):
    response = example_request(person, routed)

    # What the new thing refers to may be missed before its account is.
    assert response.status_code in {routed[2].deleted_account, 404}


@each_secured_operation
def test_a_token_of_an_account_that_is_gone_is_answered_as_documented(person: Person, routed: Routed):
    with transaction() as session:
        close_account(session, person.id)

    response = example_request(person, routed)

    assert response.status_code == routed[2].deleted_account


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_request_and_the_deletion_of_its_account_do_not_wait_for_each_other(
    database_url: str, person: Person, monkeypatch: pytest.MonkeyPatch
):
    with transaction() as session:
        task = new_task(session, RECURRING, owner=person.id, at=now())
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
        close_account(session, account_id)


def wait_until_somebody_waits() -> None:
    waiting = text("SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'DELETE FROM acc%'")
    with autocommit() as connection:
        while connection.execute(waiting).first() is None:
            pass


def example_request(person: Person, routed: Routed) -> httpx.Response:
    """Send the contract's own example of an operation's request."""
    method, template, operation = routed
    definition = resolved(operation)
    path = template
    for parameter in definition.get("parameters", []):
        value = person.uuid if parameter.get("x-path-user") else parameter.get("example")
        path = path.replace(f"{{{parameter['name']}}}", str(value))
    body = {"json": example_body(definition)} if "requestBody" in definition else {}
    return person.client.request(
        method, path, headers={"Authorization": f"Bearer {token_for(person, operation)}"}, **body
    )


def example_body(definition: dict[str, Any]) -> Any:
    content = definition["requestBody"]["content"]["application/json"]
    return content["example"] if "example" in content else next(iter(content["examples"].values()))["value"]


def token_for(person: Person, operation: Operation) -> str:
    schemes = operation.contract.document["components"]["securitySchemes"]
    security = operation.definition.get("security", operation.contract.document["security"])
    kinds = {schemes[name]["x-token"] for requirement in security for name in requirement}
    return person.refresh_token if kinds == {"refresh"} else person.access_token
