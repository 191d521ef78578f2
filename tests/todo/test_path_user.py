"""The account in the path: the caller's, by either of its ids, or somebody else's, whatever it looks like."""

from typing import Any

import httpx
import pytest

from tests.conftest import Person, once

NOBODY = [
    "0",
    "-1",
    "+1",
    "999999999",
    "9223372036854775808",
    "9" * 5000,
    "me",
    "null",
    "undefined",
    "{user_id}",
    "%7Buser_id%7D",
    "abc",
    "00000000-0000-0000-0000-000000000000",
    "urn:uuid:00000000-0000-0000-0000-000000000000",
    "",
    "%20",
    "%00",
    "%0A",
    "%FF",
    "%C3%28",
    "%ED%A0%80",
    "%2F",
    "a%2Fb",
    "%2e%2e",
    "%252F",
    "%",
    "%zz",
    "*",
    "1;2",
    "1,2",
    "v2",
    "tasks",
    "%D9%A1",
    "%C3%A4",
    "x" * 2001,
]
"""What is no account's id, or nobody's."""

REQUESTS: dict[str, tuple[str, str]] = {
    "list_tasks": ("GET", ""),
    "create_task": ("POST", ""),
    "read_task": ("GET", "/{id}"),
    "update_task": ("PUT", "/{id}"),
    "delete_task": ("DELETE", "/{id}"),
    "set_task_completion": ("PATCH", "/{id}/complete"),
}

SPOILED: list[dict[str, Any]] = [
    {},
    {"json": {"title": "x", "completed": True}},
    {"json": {"title": 7, "completed": 7}},
    {"content": b"{", "headers": {"Content-Type": "application/json"}},
    {"content": b"x", "headers": {"Content-Type": "text/plain"}},
    {"content": b" " * 1_048_577, "headers": {"Content-Type": "application/json"}},
]
"""Bodies that are refused for several reasons, and one that is not."""

each_operation = pytest.mark.parametrize("name", REQUESTS)


@once
@each_operation
def test_whoever_is_not_the_caller_is_somebody_else(name: str, person: Person):
    method, rest = REQUESTS[name]
    paths = {one: f"/api/{one}/tasks{rest.format(id=1)}" for one in NOBODY}

    answers = {one: person.client.request(method, path) for one, path in paths.items()}

    assert {one: answer.status_code for one, answer in answers.items()} == dict.fromkeys(NOBODY, 403)
    assert {answer.text for answer in answers.values()} == {
        '{"error":{"code":"forbidden","message":"These tasks belong to somebody else.","details":null}}'
    }


@each_operation
@pytest.mark.parametrize("form", ["{uuid}", "{UUID}", "{id}", "%3{first}{others}"])
def test_the_caller_is_named_by_either_id_and_shown_by_the_uuid(name: str, form: str, person: Person):
    method, rest = REQUESTS[name]
    task = person.client.post("/api/v1/tasks", json={"title": "Water the plants"}).json()
    number = f"{person.id}"
    user = form.format(uuid=person.uuid, UUID=person.uuid.upper(), id=number, first=number[0], others=number[1:])
    sent: dict[str, Any] = {"json": {"title": "Water them all"}} if name in {"create_task", "update_task"} else {}

    response = person.client.request(method, f"/api/{user}/tasks{rest.format(id=task['id'])}", **sent)

    assert response.status_code == (201 if name == "create_task" else 200)
    shown = response.json().get("tasks", [response.json()])[0]
    assert shown.get("user_id", person.uuid) == person.uuid


@once
@pytest.mark.parametrize("form", ["0{id}", " {id}", "{id} ", "{id}.0", "{id}%00", "{hex}", "{{{uuid}}}", "{uuid}%20"])
def test_an_id_in_another_form_is_nobodys(form: str, person: Person):
    user = form.format(id=person.id, uuid=person.uuid, hex=person.uuid.replace("-", ""))

    response = person.client.get(f"/api/{user}/tasks")

    assert response.status_code == 403


@once
@each_operation
def test_without_a_token_nobody_is_asked_who_is_meant(name: str, person: Person, anonymous: httpx.Client):
    method, rest = REQUESTS[name]
    users = [person.uuid, "1", "abc", "", "%00", "%2F"]

    answers = [anonymous.request(method, f"/api/{user}/tasks{rest.format(id=1)}") for user in users]

    assert {answer.status_code for answer in answers} == {401}
    assert {answer.json()["error"]["code"] for answer in answers} == {"token_missing"}
    assert {answer.headers["www-authenticate"] for answer in answers} == {'Bearer realm="quintet"'}


@once
@each_operation
def test_somebody_else_comes_before_everything_that_is_wrong_with_the_request(name: str, person: Person):
    method, rest = REQUESTS[name]
    tasks = [rest.format(id=task_id) for task_id in ("1", "abc", "9223372036854775808")]
    paths = [f"/api/somebody/tasks{task}?limit=0&status=x&status=y" for task in tasks]

    answers = [person.client.request(method, path, **spoiled) for path in paths for spoiled in SPOILED]

    assert [answer.status_code for answer in answers] == [403] * len(paths) * len(SPOILED)


@once
@pytest.mark.parametrize(("method", "rest"), [("PATCH", ""), ("POST", "/1"), ("GET", "/1/complete"), ("TRACE", "")])
def test_the_method_comes_before_the_account(method: str, rest: str, person: Person):
    response = person.client.request(method, f"/api/somebody/tasks{rest}")

    assert response.status_code == 405
    assert response.json()["error"]["code"] == "method_not_allowed"
    assert response.headers["allow"]
