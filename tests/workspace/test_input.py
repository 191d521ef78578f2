"""What bodies may hold, over all operations that take one."""

from typing import Any

import pytest

from tests.conftest import Person
from tests.workspace.operations import OPERATIONS, WORKSPACE, Operation, code_of, for_each, kept_of, request_of

TEXT = [7, 1.5, True, ["x"], {"x": 1}, "NUL \0 within"]
DAY = [
    *TEXT,
    "",
    "2026-02-30",
    "2026-13-01",
    "0000-01-01",
    "20260320",
    "2026-3-20",
    "20-03-2026",
    "2026-03-20T00:00:00Z",
]
NEEDED = [*TEXT, None, ""]

WRONG: dict[str, list[Any]] = {
    "username": [*NEEDED, "x" * 65, "may a", "maya@home", "may\ta", "maya\n", "may\u0085a", " maya"],
    "email": [*NEEDED, "maya", "maya@", "@x.example", "maya@home", "ma ya@x.example", f"{'x' * 65}@x.example"],
    "password": [*NEEDED, "Aa1-" + "é" * 511],
    "new_password": [*NEEDED, "Aa1-" + "é" * 511],
    "title": [*NEEDED, " \t\n", "x" * 201],
    "due_date": DAY,
    "priority": [*NEEDED, "urgent", "HIGH"],
    "professional_title": [*TEXT, "x" * 201],
    "one_liner_bio": [*TEXT, "x" * 501],
    "quantifiable_results": [*TEXT, "x" * 10_001],
    "core_skills_json": [
        7,
        True,
        "SQL",
        {"x": 1},
        [7],
        [None],
        [""],
        [" "],
        [["SQL"]],
        ["S\0L"],
        ["x" * 201],
        ["x"] * 101,
    ],
    "date_achieved": DAY,
    "item_type": [*TEXT, "x" * 51],
    "start_date": DAY,
    "goal_type": [*TEXT, "x" * 51],
    "target_date": DAY,
    "description": [*TEXT, "x" * 10_001],
    "status": [7, True, ["x"], {"x": 1}],
}
"""For each member what it cannot be, whatever operation it is sent to."""

WRONG_HERE: dict[tuple[str, str], list[Any]] = {
    ("log_in", "email"): [*NEEDED, "x" * 255],
    ("todos", "status"): [None, "", "done", "COMPLETED", "active"],
    ("future_plans", "status"): [None, "", "completed", "ACTIVE", "pending"],
    ("future_plans", "description"): [None, "", " \t\n"],
    ("current_focus", "status"): ["x" * 51, "NUL \0 within"],
}
"""What differs between operations or their tags."""


NOT_JSON = [rb'"\ud800"', rb'"\udc00"', rb'"\ude00\ud83d"', b'"\xed\xa0\x80"', b"1e400", b"9" * 5000, b"NaN", b'"\t"']


def members_of(operation: Operation) -> list[str]:
    schema = operation.definition["requestBody"]["content"]["application/json"]["schema"]
    return list(WORKSPACE.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]["properties"])


def wrong_values(operation: Operation, member: str) -> list[Any]:
    if (operation.id, member) in WRONG_HERE:
        return WRONG_HERE[operation.id, member]
    return WRONG[member] + WRONG_HERE.get((operation.definition["tags"][0], member), [])


for_each_member = pytest.mark.parametrize(
    ("operation", "member"),
    [
        pytest.param(operation, member, id=f"{operation.id}-{member}")
        for operation in OPERATIONS
        if operation.takes_body
        for member in members_of(operation)
    ],
)


@for_each_member
def test_a_wrong_value_is_bad_input_and_changes_nothing(operation: Operation, member: str, person: Person):
    request = request_of(operation, person)
    before = kept_of(person)
    wrong = [{**request["json"], member: value} for value in wrong_values(operation, member)]

    responses = [person.client.request(**{**request, "json": body}) for body in wrong]

    taken = [body[member] for body, response in zip(wrong, responses, strict=True) if response.status_code != 400]
    assert taken == []
    assert {error["field"].split(".")[0] for response in responses for error in response.json()["errors"]} == {member}
    assert kept_of(person) == before


@for_each_member
def test_no_error_repeats_what_was_submitted(operation: Operation, member: str, person: Person):
    request = request_of(operation, person)
    wrong = [{**request["json"], member: value} for value in ("\0 Xyzzy", ["Xyzzy", 7], {"Xyzzy": "Xyzzy"})]

    responses = [person.client.request(**{**request, "json": body}) for body in wrong]

    assert {response.status_code for response in responses} == {400}
    assert "xyzzy" not in "".join(response.text for response in responses).lower()


@for_each_member
def test_what_json_cannot_say_is_refused_and_changes_nothing(operation: Operation, member: str, person: Person):
    request = request_of(operation, person)
    del request["json"]
    request["headers"] = {**request.get("headers", {}), "Content-Type": "application/json"}
    before = kept_of(person)
    bodies = [b'{"%s": %s}' % (member.encode(), value) for value in NOT_JSON]

    codes = [code_of(person.client.request(**request, content=body)) for body in bodies]

    assert codes == [(400, "malformed_json")] * len(NOT_JSON)
    assert kept_of(person) == before


@for_each(lambda operation: operation.takes_body and operation.id != "update_profile")
def test_unknown_members_are_ignored(operation: Operation, person: Person):
    request = request_of(operation, person)
    request["json"] |= {"unknown": {"deep": [1, None, "Xyzzy"]}, "": "Xyzzy", "Title": 7, "number": 10**300}

    response = person.client.request(**request)

    assert response.status_code == operation.success
    assert "Xyzzy" not in response.text
    assert "Xyzzy" not in str(kept_of(person))


@for_each(lambda operation: operation.takes_body and operation.definition["tags"] != ["auth"])
def test_members_that_the_server_sets_cannot_be_sent(operation: Operation, person: Person):
    request = request_of(operation, person)
    instant = "2001-01-01T00:00:00.000000Z"
    sent = {"id": 1, "user_id": 1, "account_id": 1, "created_at": instant, "updated_at": instant}
    request["json"] |= sent | ({} if "status" in request["json"] else {"completed_at": instant})

    thing = person.client.request(**request).json()

    assert thing["user_id"] == person.id
    assert instant not in thing.values()
    assert thing.get("id") != 1


REQUIRED = {
    "register": ["username", "email", "password"],
    "log_in": ["email", "password"],
    "change_password": ["new_password"],
    "create_todo": ["title"],
    "create_achievement": ["title"],
    "create_focus_item": ["title"],
    "create_future_plan": ["description"],
}


@for_each(lambda operation: operation.id in REQUIRED)
def test_each_member_that_is_needed_is_asked_for(operation: Operation, person: Person):
    request = {**request_of(operation, person), "json": {"unknown": 1}}

    response = person.client.request(**request)

    assert code_of(response) == (400, "bad_input")
    needed = [{"field": member, "message": "is required"} for member in REQUIRED[operation.id]]
    assert response.json()["errors"] == needed


@for_each(lambda operation: operation.id in REQUIRED)
def test_what_is_not_needed_may_be_left_out(operation: Operation, person: Person):
    request = request_of(operation, person)
    request["json"] = {member: request["json"][member] for member in REQUIRED[operation.id]}

    response = person.client.request(**request)

    assert response.status_code == operation.success
