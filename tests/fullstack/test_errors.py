"""What cuts across the operations of the contract: tokens, bodies, ids, and the one shape of all errors."""

import re
from collections.abc import Callable
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest

from handlers.fullstack import users
from server.contracts import CONTRACTS
from tests.conftest import Person

FULLSTACK = next(contract for contract in CONTRACTS if contract.name == "fullstack")
INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
JSON = {"Content-Type": "application/json"}


class Operation(NamedTuple):
    method: str
    path: str
    definition: dict[str, Any]

    def send(self, client: httpx.Client, ids: dict[str, str], **request: Any) -> httpx.Response:
        return client.request(self.method, FULLSTACK.mount + self.path.format(**ids), **request)


OPERATIONS = [
    Operation(method.upper(), path, definition)
    for path, methods in FULLSTACK.document["paths"].items()
    for method, definition in methods.items()
]


def for_each(condition: Callable[[Operation], bool]) -> pytest.MarkDecorator:
    chosen = [one for one in OPERATIONS if condition(one)]
    return pytest.mark.parametrize("operation", chosen, ids=lambda one: one.definition["operationId"])


needs_token = for_each(lambda operation: operation.definition.get("security") != [])
takes_body = for_each(lambda operation: "requestBody" in operation.definition)
names_item = for_each(lambda operation: "{" in operation.path)


@pytest.fixture
def ids(client: httpx.Client) -> dict[str, str]:
    """The ids of a task and a tag of the person who sends the requests."""
    return ids_of(client)


def ids_of(client: httpx.Client) -> dict[str, str]:
    task = client.post("/v1/tasks", json={"title": "Water the plants", "tags": ["home"]}).json()
    return {"task_id": task["id"], "tag_id": task["tags"][0]["id"]}


def error_of(response: httpx.Response) -> tuple[int, str]:
    """Read an error that has exactly the three members of the text."""
    error = response.json()
    assert response.headers["content-type"] == "application/json"
    assert list(error) == ["detail", "error_code", "timestamp"]
    assert INSTANT.fullmatch(error["timestamp"])
    return response.status_code, error["error_code"]


def test_there_are_fifteen_operations():
    assert len(OPERATIONS) == 15


@needs_token
def test_without_a_token_it_is_401(operation: Operation, anonymous: httpx.Client, ids: dict[str, str]):
    response = operation.send(anonymous, ids)

    assert error_of(response) == (401, "TOKEN_MISSING")
    assert response.headers["www-authenticate"] == 'Bearer realm="quintet"'


@needs_token
def test_a_refresh_token_is_no_access_token(operation: Operation, person: Person, ids: dict[str, str]):
    headers = {"Authorization": f"Bearer {person.refresh_token}"}

    response = operation.send(person.client, ids, headers=headers)

    assert error_of(response) == (401, "WRONG_TOKEN_KIND")


@takes_body
@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", (422, "BAD_INPUT")),
        (b"{", (400, "MALFORMED_JSON")),
        (b'{"title": NaN}', (400, "MALFORMED_JSON")),
        (b'{"a": "\xff"}', (400, "MALFORMED_JSON")),
        (b'{"a": 1, "a": 2}', (400, "MALFORMED_JSON")),
        (b"[" * 100_000, (400, "MALFORMED_JSON")),
        (b'{"a": "\\ud800"}', (422, "MALFORMED_JSON")),
        (b"[]", (422, "BAD_INPUT")),
        (b"null", (422, "BAD_INPUT")),
        (b" " * 1_048_577, (413, "PAYLOAD_TOO_LARGE")),
    ],
    ids=["none", "cut", "nan", "latin", "twice", "deep", "surrogate", "list", "null", "long"],
)
def test_a_body_that_is_none_is_refused(
    operation: Operation, client: httpx.Client, ids: dict[str, str], body: bytes, error: tuple[int, str]
):
    response = operation.send(client, ids, content=body, headers=JSON)

    assert error_of(response) == error


@takes_body
def test_a_body_of_another_media_type_is_415(operation: Operation, client: httpx.Client, ids: dict[str, str]):
    response = operation.send(client, ids, content=b"{}", headers={"Content-Type": "text/plain"})

    assert error_of(response) == (415, "UNSUPPORTED_MEDIA_TYPE")


@names_item
def test_what_is_not_there_is_404(operation: Operation, client: httpx.Client):
    responses = [
        operation.send(client, dict.fromkeys(("task_id", "tag_id"), no_id), json={})
        for no_id in (str(uuid4()), "abc", "1", "a0eebc999c0b4ef8bb6d6bb9bd380a11", "%00")
    ]

    assert {error_of(response)[0] for response in responses} == {404}


@names_item
def test_somebody_elses_is_as_if_it_were_not_there(operation: Operation, client: httpx.Client, stranger: httpx.Client):
    theirs = ids_of(stranger)

    foreign = operation.send(client, theirs, json={})
    unknown = operation.send(client, dict.fromkeys(theirs, str(uuid4())), json={})

    assert foreign.status_code == unknown.status_code == 404
    assert {**foreign.json(), "timestamp": ""} == {**unknown.json(), "timestamp": ""}


@names_item
def test_an_id_may_be_written_in_capitals(operation: Operation, client: httpx.Client, ids: dict[str, str]):
    response = operation.send(client, {name: one.upper() for name, one in ids.items()}, json={})

    assert response.is_success


@pytest.mark.parametrize(
    ("path", "allowed"),
    [
        ("/v1/auth/login", "POST"),
        ("/v1/users/me", "GET, HEAD, PUT"),
        ("/v1/tasks", "GET, HEAD, POST"),
        ("/v1/tasks/x", "DELETE, GET, HEAD, PUT"),
        ("/v1/tasks/x/toggle-status", "PATCH"),
        ("/v1/tags", "GET, HEAD, POST"),
        ("/v1/tags/x", "DELETE, PUT"),
    ],
)
def test_a_method_that_a_path_lacks_is_405(anonymous: httpx.Client, path: str, allowed: str):
    response = anonymous.request("TRACE", path)

    assert error_of(response) == (405, "METHOD_NOT_ALLOWED")
    assert response.headers["allow"] == allowed


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/nothing", "/v1/tasks/", "/v1/tags/x/y", "/v1/auth"])
def test_an_unknown_path_is_404_in_the_shape_of_the_contract(anonymous: httpx.Client, path: str):
    response = anonymous.get(path)

    assert error_of(response) == (404, "NOT_FOUND")


def test_what_nobody_foresaw_is_500(client: httpx.Client, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(users, "read_account", None)

    response = client.get("/v1/users/me")

    assert error_of(response) == (500, "INTERNAL_ERROR")


def test_bad_input_names_the_members_and_repeats_nothing(client: httpx.Client):
    body = {"title": "", "priority": "Xyzzy", "due_date": "Xyzzy"}

    response = client.post("/v1/tasks", json=body)

    assert error_of(response) == (422, "BAD_INPUT")
    assert all(member in response.json()["detail"] for member in body)
    assert "Xyzzy" not in response.text


def test_checks_come_in_their_order(anonymous: httpx.Client, client: httpx.Client):
    # Method, token, media type, input, object: each request is wrong in all that comes after as well.
    nothing = f"/v1/tags/{uuid4()}"

    statuses = [
        anonymous.post(nothing, content=b"{").status_code,
        anonymous.put(nothing, content=b"{").status_code,
        client.put(nothing, content=b"{").status_code,
        client.put(nothing, content=b"{", headers=JSON).status_code,
        client.put(nothing, json={"name": 7}).status_code,
        client.put(nothing, json={"name": "x"}).status_code,
    ]

    assert statuses == [405, 401, 415, 400, 422, 404]
