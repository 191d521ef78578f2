"""Each answer that the contract documents of each of its own operations, given by the running server."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import httpx
import pytest

from server.contracts import CONTRACTS
from tests.conftest import Person

TASKTRACKER = next(contract for contract in CONTRACTS if contract.name == "tasktracker")
API = TASKTRACKER.mount
UNKNOWN = 2**63 - 1
NO_IDS = ["abc", "0", "-1", "9223372036854775808", "1.5", "01", "%20", "1%00", "%FF", "%2F", "9" * 5000]

OPERATIONS = {
    definition["operationId"]: (method.upper(), path, definition)
    for path, item in TASKTRACKER.document["paths"].items()
    for method, definition in item.items()
}
OWN = {name for name, (_, path, _) in OPERATIONS.items() if not path.startswith("/auth/")}
NAMES_ITEM = {name for name in OWN if "{" in OPERATIONS[name][1]}
TAKES_BODY = {name for name in OWN if "requestBody" in OPERATIONS[name][2]}
IS_LIST = {"list_tasks", "list_categories"}

STATED = {
    "POST /auth/register",
    "POST /auth/login",
    "POST /auth/refresh",
    "POST /auth/logout",
    "GET /tasks",
    "POST /tasks",
    "GET /tasks/{task_id}",
    "PUT /tasks/{task_id}",
    "DELETE /tasks/{task_id}",
    "GET /categories",
    "POST /categories",
    "GET /categories/{category_id}",
    "PUT /categories/{category_id}",
    "DELETE /categories/{category_id}",
}
"""The endpoints that the contract's text names in its parts 3 to 5."""


def each(operations: set[str]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", sorted(operations))


def request_of(name: str, client: httpx.Client) -> dict[str, Any]:
    """Write a request that succeeds; an item that it names is created first."""
    method, path, definition = OPERATIONS[name]
    collection = f"{API}/{definition['tags'][0]}"
    request: dict[str, Any] = {"method": method, "url": f"{API}{path}"}
    if name in NAMES_ITEM:
        item = client.post(collection, json={"title": "Prepare the review", "name": "Reporting"}).json()
        request["url"] = f"{collection}/{item['id']}"
    if name in TAKES_BODY:
        content = definition["requestBody"]["content"]["application/json"]
        request["json"] = next(iter(content["examples"].values()))["value"]
    return request


def code_of(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/problem+json"
    return response.status_code, response.json()["code"]


def test_the_operations_are_those_of_the_contract():
    operations = {f"{method} {path}" for method, path, _ in OPERATIONS.values()}

    assert API == "/api/v1"
    assert operations == STATED
    assert len(operations) == 14


@each(OWN)
def test_the_documented_statuses_follow_rules(name: str):
    statuses = {int(status) for status in OPERATIONS[name][2]["responses"]}

    names_category = name in {"create_task", "update_task", "list_tasks"}
    rules = {
        min(statuses): True,
        400: name in TAKES_BODY | IS_LIST,
        401: True,
        403: name in NAMES_ITEM or names_category,
        404: name in NAMES_ITEM or names_category,
        413: name in TAKES_BODY,
        415: name in TAKES_BODY,
        500: True,
    }
    assert statuses == {status for status, holds in rules.items() if holds}


@each(OWN)
def test_each_operation_succeeds(name: str, client: httpx.Client):
    response = client.request(**request_of(name, client))

    expected = {"create": 201, "delete": 204}.get(name.partition("_")[0], 200)
    assert response.status_code == expected


@pytest.mark.parametrize("name", ["create_task", "create_category", "update_task", "update_category"])
def test_every_example_of_a_body_is_taken(name: str, client: httpx.Client):
    request = request_of(name, client)
    examples = OPERATIONS[name][2]["requestBody"]["content"]["application/json"]["examples"].values()

    statuses = {client.request(**{**request, "json": example["value"]}).status_code for example in examples}

    assert statuses <= {200, 201}


@each(OWN)
def test_who_sends_no_token_is_not_let_in(name: str, client: httpx.Client, anonymous: httpx.Client):
    request = request_of(name, client)
    request.pop("json", None)

    response = anonymous.request(**request)

    assert code_of(response) == (401, "token_missing")
    assert response.headers["www-authenticate"] == 'Bearer realm="quintet"'


@each(OWN)
def test_a_token_of_another_kind_is_not_let_in(name: str, person: Person):
    request = request_of(name, person.client)

    response = person.client.request(**request, headers={"Authorization": f"Bearer {person.refresh_token}"})

    assert code_of(response) == (401, "wrong_token_kind")


@each(NAMES_ITEM)
def test_somebody_elses_things_are_forbidden(name: str, client: httpx.Client, stranger: httpx.Client):
    request = request_of(name, stranger)

    response = client.request(**request)

    assert code_of(response) == (403, "forbidden")
    assert stranger.get(request["url"]).status_code == 200


@each(NAMES_ITEM)
def test_what_is_not_there_is_not_found(name: str, client: httpx.Client):
    request = request_of(name, client)
    request["url"] = f"{request['url'].rpartition('/')[0]}/{UNKNOWN}"

    response = client.request(**request)

    kind = "task" if "tasks" in request["url"] else "category"
    assert code_of(response) == (404, f"{kind}_not_found")


@each(NAMES_ITEM)
def test_what_cannot_be_an_id_is_not_found(name: str, client: httpx.Client):
    request = request_of(name, client)
    collection = request["url"].rpartition("/")[0]

    codes = {no_id: code_of(client.request(**{**request, "url": f"{collection}/{no_id}"})) for no_id in NO_IDS}

    assert codes == dict.fromkeys(NO_IDS, (404, "not_found"))


@each(TAKES_BODY)
@pytest.mark.parametrize(
    ("content", "media_type", "expected"),
    [
        (b"{", "application/json", (400, "malformed_json")),
        (b'{"title": "a", "title": "b"}', "application/json", (400, "malformed_json")),
        (b"\xff", "application/json", (400, "malformed_json")),
        (b"", "application/json", (400, "bad_input")),
        (b"[]", "application/json", (400, "bad_input")),
        (b'{"title": 7, "name": 7}', "application/json", (400, "bad_input")),
        (b'{"title": "x"}', "text/plain", (415, "unsupported_media_type")),
        (b'{"title": "x"}', "application/json; charset=latin-1", (415, "unsupported_media_type")),
        (b" " * 1_048_577, "application/json", (413, "payload_too_large")),
    ],
)
def test_a_body_that_is_not_as_documented_is_refused(
    name: str, content: bytes, media_type: str, expected: tuple[int, str], client: httpx.Client
):
    request = request_of(name, client)
    del request["json"]

    response = client.request(**request, content=content, headers={"Content-Type": media_type})

    assert code_of(response) == expected


@each(TAKES_BODY)
def test_unknown_members_are_ignored(name: str, client: httpx.Client):
    request = request_of(name, client)
    request["json"] = {**request["json"], "tags": ["x"], "completed_at": "Xyzzy", "user_id": 1, "id": 1}

    response = client.request(**request)

    assert response.status_code in {200, 201}
    assert "Xyzzy" not in response.text


@each(OWN)
def test_what_fails_inside_is_told_to_nobody(name: str, client: httpx.Client, monkeypatch: pytest.MonkeyPatch):
    request = request_of(name, client)
    module = f"handlers.tasktracker.{OPERATIONS[name][2]['tags'][0]}"
    for opened in ("autocommit", "transaction"):
        monkeypatch.setattr(f"{module}.{opened}", broken)

    response = client.request(**request)

    assert code_of(response) == (500, "internal_error")
    assert "secret" not in response.text


@contextmanager
def broken() -> Iterator[NoReturn]:
    raise RuntimeError("secret words for the log alone")
    yield
