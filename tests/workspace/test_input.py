"""What bodies may hold, over all operations that take one."""

from typing import Any

import pytest

from tests.conftest import Person, once
from tests.operations import Operation, for_each, kept_of, operations_of, request_of

OTHER = 999_999_999
"""An id that nothing has here."""

TEXT = [7, 1.5, True, ["x"], {"x": 1}, "NUL \0 within"]
DAY = [
    *TEXT,
    " ",
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
    "username": [*NEEDED, "x" * 65, "may  a", "maya@home", "may\ta", "maya\n", "may\u0085a", " maya"],
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


def wrong_values(operation: Operation, member: str) -> list[Any]:
    if (operation.id, member) in WRONG_HERE:
        return WRONG_HERE[operation.id, member]
    return WRONG[member] + WRONG_HERE.get((operation.definition["tags"][0], member), [])


for_each_member = pytest.mark.parametrize(
    ("operation", "member"),
    [
        pytest.param(operation, member, id=f"{operation.id}-{member}")
        for operation in operations_of("workspace")
        for member in operation.members
    ],
)


@once
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


@for_each(lambda operation: operation.members and operation.definition["tags"] != ["auth"], of="workspace")
def test_members_that_the_server_sets_cannot_be_sent(operation: Operation, person: Person):
    request = request_of(operation, person)
    instant = "2001-01-01T00:00:00.000000Z"
    sent = {"id": OTHER, "user_id": OTHER, "account_id": OTHER, "created_at": instant, "updated_at": instant}
    request["json"] |= sent | ({} if "status" in request["json"] else {"completed_at": instant})

    thing = person.client.request(**request).json()

    assert thing["user_id"] == person.id
    assert instant not in thing.values()
    assert thing.get("id") != OTHER
