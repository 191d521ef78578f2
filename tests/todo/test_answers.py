"""Each answer that the contract's text states of each operation, and each JSON example in it, by the running server."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NoReturn

import httpx
import pytest

from server.contracts import CONTRACTS
from tests.conftest import Person
from tests.todo.test_tasks import create, tasks_of

TODO = next(contract for contract in CONTRACTS if contract.name == "todo")
OPERATIONS = {
    definition["operationId"]: (method.upper(), path, definition)
    for path, item in TODO.document["paths"].items()
    for method, definition in item.items()
}
STATED = {
    "create_task": ("POST /{user_id}/tasks", {201, 400, 401, 403, 500}),
    "list_tasks": ("GET /{user_id}/tasks", {200, 401, 403, 500}),
    "read_task": ("GET /{user_id}/tasks/{id}", {200, 401, 403, 404, 500}),
    "update_task": ("PUT /{user_id}/tasks/{id}", {200, 400, 401, 403, 404, 500}),
    "delete_task": ("DELETE /{user_id}/tasks/{id}", {200, 401, 403, 404, 500}),
    "set_task_completion": ("PATCH /{user_id}/tasks/{id}/complete", {200, 401, 403, 404, 500}),
}
"""The operations of the contract's text, and the statuses that it states for each of them."""

# The text's examples; a word in them stands for a value of that type.
TASK = {
    "id": "integer",
    "user_id": "string",
    "title": "string",
    "description": "string",
    "completed": "boolean",
    "created_at": "datetime",
    "updated_at": "datetime",
}
TASK_LIST = {
    "tasks": [TASK],
    "total_count": "integer",
    "completed_count": "integer",
    "pending_count": "integer",
}
DELETED = {"message": "Task deleted successfully"}
ERROR = {
    "error": {
        "code": "error_code_string",
        "message": "human_readable_error_message",
        "details": "optional_error_details",
    }
}
NEW_TASK = {"title": "string (required, 1-200 chars)", "description": "string (optional, max 1000 chars)"}
CHANGES = {"title": "string (optional, 1-200 chars)", "description": "string (optional, max 1000 chars)"}
COMPLETION = {"completed": "boolean (optional, default: toggle current status)"}

EXAMPLES: dict[str, tuple[dict[str, str] | None, dict[str, Any]]] = {
    "create_task": (NEW_TASK, TASK),
    "list_tasks": (None, TASK_LIST),
    "read_task": (None, TASK),
    "update_task": (CHANGES, TASK),
    "delete_task": (None, DELETED),
    "set_task_completion": (COMPLETION, TASK),
}
"""For each operation the example of what is sent and of what is answered."""

TYPES = {"integer": int, "string": str, "boolean": bool, "datetime": str}
NAMES_TASK = {"read_task", "update_task", "delete_task", "set_task_completion"}
TAKES_BODY = {"create_task", "update_task", "set_task_completion"}
NO_IDS = ["abc", "0", "-1", "9223372036854775808", "1.5", "01", "%20", "1%00", "%FF", "%2F", "9" * 5000]

each_operation = pytest.mark.parametrize("name", STATED)


def request_of(name: str, person: Person, *, task_id: object = None) -> dict[str, Any]:
    """Write a request that succeeds; a task that it names is created first, unless one is given."""
    method, path, _ = OPERATIONS[name]
    if name in NAMES_TASK and task_id is None:
        task_id = create(person)["id"]
    request: dict[str, Any] = {"method": method, "url": f"/api{path.format(user_id=person.uuid, id=task_id)}"}
    if name in {"create_task", "update_task"}:
        request["json"] = {"title": "Water them all", "description": "Those on the balcony too."}
    return request


def code_of(response: httpx.Response) -> tuple[int, str]:
    assert response.headers["content-type"] == "application/json"
    assert has_shape_of(response.json(), ERROR)
    return response.status_code, response.json()["error"]["code"]


def has_shape_of(answer: Any, example: Any) -> bool:
    """Tell whether an answer has the members of an example, in its order, and values of the types it names."""
    if isinstance(example, dict):
        return list(answer) == list(example) and all(has_shape_of(answer[name], example[name]) for name in example)
    if isinstance(example, list):
        return all(has_shape_of(one, example[0]) for one in answer)
    if example == "optional_error_details":
        return answer is None or isinstance(answer, list)
    return isinstance(answer, TYPES.get(example, str)) and (example in TYPES or "_" in example or answer == example)


def test_the_operations_are_those_of_the_contract():
    operations = {name: f"{method} {path}" for name, (method, path, _) in OPERATIONS.items()}

    assert TODO.mount == "/api"
    assert operations == {name: operation for name, (operation, _) in STATED.items()}


@each_operation
def test_the_stated_statuses_are_documented_and_all_others_follow_a_rule(name: str):
    statuses = {int(status) for status in OPERATIONS[name][2]["responses"]}

    rules = {400: name in TAKES_BODY or name == "list_tasks", 413: name in TAKES_BODY, 415: name in TAKES_BODY}
    assert statuses == STATED[name][1] | {status for status, holds in rules.items() if holds}


@each_operation
def test_each_example_is_sent_and_answered_in_the_shape_of_the_text(name: str, person: Person):
    sent, answered = EXAMPLES[name]
    request = request_of(name, person)
    if sent is not None:
        request["json"] = {member: True if member == "completed" else words for member, words in sent.items()}
    create(person)

    response = person.client.request(**request)

    assert response.status_code == min(STATED[name][1])
    assert has_shape_of(response.json(), answered)
    assert sent is None or {member: response.json()[member] for member in request["json"]} == request["json"]


@each_operation
def test_who_sends_no_token_is_not_let_in(name: str, person: Person, anonymous: httpx.Client):
    response = anonymous.request(**request_of(name, person))

    assert code_of(response) == (401, "token_missing")


@each_operation
@pytest.mark.parametrize("token", ["x", "a.b.c", "{refresh}"])
def test_a_token_that_does_not_count_is_not_let_in(name: str, token: str, person: Person):
    headers = {"Authorization": f"Bearer {token.format(refresh=person.refresh_token)}"}

    response = person.client.request(**request_of(name, person), headers=headers)

    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["www-authenticate"]
    assert has_shape_of(response.json(), ERROR)


@each_operation
def test_another_account_in_the_path_is_forbidden(name: str, person: Person, stranger: httpx.Client):
    response = stranger.request(**request_of(name, person))

    assert code_of(response) == (403, "forbidden")


@pytest.mark.parametrize("name", sorted(NAMES_TASK))
def test_what_is_not_there_and_what_is_somebody_elses_are_told_apart_by_nobody(
    name: str, person: Person, stranger: httpx.Client
):
    theirs = stranger.post("/api/v1/tasks", json={"title": "Theirs"}).json()

    unknown = person.client.request(**request_of(name, person, task_id=2**63 - 1))
    foreign = person.client.request(**request_of(name, person, task_id=theirs["id"]))

    assert code_of(unknown) == code_of(foreign) == (404, "task_not_found")
    assert unknown.text == foreign.text
    assert stranger.get(f"/api/v1/tasks/{theirs['id']}").json() == theirs


@pytest.mark.parametrize("name", sorted(NAMES_TASK))
def test_what_cannot_be_an_id_is_not_found(name: str, person: Person):
    codes = {no_id: code_of(person.client.request(**request_of(name, person, task_id=no_id))) for no_id in NO_IDS}

    assert codes == dict.fromkeys(NO_IDS, (404, "not_found"))


@pytest.mark.parametrize("name", sorted(TAKES_BODY))
@pytest.mark.parametrize(
    ("content", "media_type", "expected"),
    [
        (b"{", "application/json", (400, "malformed_json")),
        (b'{"title": "a", "title": "b"}', "application/json", (400, "malformed_json")),
        (b"\xff", "application/json", (400, "malformed_json")),
        (b"null", "application/json", (400, "bad_input")),
        (b"[]", "application/json", (400, "bad_input")),
        (b'{"title": 7, "completed": 7}', "application/json", (400, "bad_input")),
        (b'{"title": "x"}', "text/plain", (415, "unsupported_media_type")),
        (b'{"title": "x"}', "application/json; charset=latin-1", (415, "unsupported_media_type")),
        (b" " * 1_048_577, "application/json", (413, "payload_too_large")),
    ],
)
def test_a_body_that_is_not_as_documented_is_refused(
    name: str, content: bytes, media_type: str, expected: tuple[int, str], person: Person
):
    request = request_of(name, person)
    request.pop("json", None)
    before = person.client.get(tasks_of(person)).json()

    response = person.client.request(**request, content=content, headers={"Content-Type": media_type})

    assert code_of(response) == expected
    assert person.client.get(tasks_of(person)).json() == before


def test_several_faults_are_all_told(person: Person):
    response = person.client.post(tasks_of(person), json={"title": " ", "description": 7})

    assert response.status_code == 400
    assert [detail["field"] for detail in response.json()["error"]["details"]] == ["title", "description"]


@each_operation
def test_what_fails_inside_is_told_to_nobody(name: str, person: Person, monkeypatch: pytest.MonkeyPatch):
    request = request_of(name, person)
    for opened in ("autocommit", "transaction"):
        monkeypatch.setattr(f"handlers.todo.tasks.{opened}", broken)

    response = person.client.request(**request)

    assert code_of(response) == (500, "internal_error")
    assert "secret" not in response.text


@contextmanager
def broken() -> Iterator[NoReturn]:
    raise RuntimeError("secret words for the log alone")
    yield


@pytest.mark.parametrize("name", ["list_tasks", "read_task"])
def test_head_is_answered_like_get_without_the_body(name: str, person: Person):
    request = request_of(name, person)

    response = person.client.request(**{**request, "method": "HEAD"})

    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-length"] == person.client.request(**request).headers["content-length"]
