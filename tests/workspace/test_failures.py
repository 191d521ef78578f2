"""What fails on the server's side: the answer says no more than that, and nothing is left half done."""

from collections.abc import Callable, Hashable

import pytest
from starlette.types import Receive

from server.fair_turns import FairTurns
from server.lanes import Threads
from tests.conftest import PASSWORD, Person
from tests.faults import raising
from tests.operations import Operation, code_of, for_each, kept_of, named, request_of
from tests.workspace import API

broken = raising(RuntimeError("broken for the test"))


async def full(lane: Threads, _work: object, whose: Callable[[], Hashable], receive: Receive) -> None:
    """Find all turns taken."""
    await lane.wait(whose(), receive)


@for_each(lambda operation: operation.definition.get("x-hashes-password"))
def test_a_server_with_a_full_queue_is_busy(operation: Operation, person: Person, monkeypatch: pytest.MonkeyPatch):
    request = request_of(operation, person)
    run = Threads.run
    monkeypatch.setattr(Threads, "run", lambda lane, *of: (full if lane.name == "passwords" else run)(lane, *of))
    monkeypatch.setattr(FairTurns, "is_full_for", lambda *_: True)
    monkeypatch.setattr("server.fair_turns.REFUSAL_SECONDS", 0)

    response = person.client.request(**request)

    assert code_of(response) == (503, "busy")
    assert response.headers["Retry-After"] == "5"


@pytest.mark.parametrize(
    ("operation_id", "last_step"), [("register", "make_profile"), ("change_password", "end_other_logins")]
)
def test_what_fails_in_the_end_leaves_nothing_done(
    operation_id: str, last_step: str, person: Person, monkeypatch: pytest.MonkeyPatch
):
    request = request_of(named(operation_id), person)
    before = kept_of(person)
    monkeypatch.setattr(f"handlers.workspace.auth.{last_step}", broken)

    response = person.client.request(**request)

    assert response.status_code == 500
    assert kept_of(person) == before


def test_a_login_that_fails_inside_keeps_the_server_serving(person: Person, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patch:
        patch.setattr("security.logins.open_login", broken)
        person.client.post(f"{API}/auth/login", json={"email": person.email, "password": PASSWORD})

    response = person.client.post(f"{API}/auth/login", json={"email": person.email, "password": PASSWORD})

    assert response.status_code == 200
