"""`Location` of a 201: whatever an operation makes can be read where it says, if it can be read at all."""

from typing import Any

import httpx

from tests.conftest import Person
from tests.operations import OPERATIONS, Operation, for_each, request_of


def is_read(operation: Operation) -> bool:
    """Check whether the contract has a GET for the one thing that an operation makes."""
    same_contract = [one for one in OPERATIONS if one.contract is operation.contract and one.method == "GET"]
    if operation.id == "register":
        return "read_me" in {one.id for one in same_contract}
    return operation.path in {one.collection for one in same_contract if one.item is not None}


@for_each(lambda operation: operation.success == 201 and is_read(operation))
def test_what_is_made_is_found_at_its_location(operation: Operation, person: Person):
    request = request_of(operation, person)
    made = person.client.request(**request)
    if operation.id == "register":
        log_in(person, thing_in(made)["username"], request["json"]["password"])

    found = person.client.get(made.headers["location"])

    shown = thing_in(made)
    assert (made.status_code, found.status_code) == (201, 200)
    assert {name: found.json()[name] for name in shown} == shown


@for_each(lambda operation: operation.success == 201 and not is_read(operation))
def test_what_cannot_be_read_by_itself_has_no_location(operation: Operation, person: Person):
    made = person.client.request(**request_of(operation, person))

    assert made.status_code == 201
    assert "location" not in made.headers


def test_a_task_is_located_by_the_uuid_of_its_account(person: Person):
    made = person.client.post(f"/api/{person.id}/tasks", json={"title": "Water the plants"})

    assert made.headers["location"] == f"/api/{person.uuid}/tasks/{made.json()['id']}"


def thing_in(answer: httpx.Response) -> dict[str, Any]:
    """Return the thing that an answer shows; a new account may stand beside its tokens."""
    return answer.json().get("user", answer.json())


def log_in(person: Person, username: str, password: str) -> None:
    """Make a person's client that of another account."""
    login = person.client.post("/v1/auth/login", json={"username": username, "password": password})
    person.client.headers["Authorization"] = f"Bearer {login.json()['access_token']}"
