from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

import clock
from db.sql.engine import transaction
from db.sql.ownership import add
from db.tasks.recurrence import RecurrencePattern
from db.tasks.tasks import Task
from tests.conftest import Person, once

MEMBERS = ["id", "user_id", "title", "description", "completed", "created_at", "updated_at"]
TODOS = "/api/v1/todo/todos"


def tasks_of(person: Person) -> str:
    return f"/api/{person.uuid}/tasks"


def create(person: Person, title: str = "Water the plants", **members: object) -> dict[str, Any]:
    return person.client.post(tasks_of(person), json={"title": title, **members}).json()


def elsewhere(person: Person, **members: object) -> dict[str, Any]:
    """Create a task in the words of another contract, which can say more of it."""
    return person.client.post("/api/v1/tasks", json={"title": "Water the plants", **members}).json()


def complete(person: Person, task_id: int, **sent: Any) -> httpx.Response:
    return person.client.patch(f"{tasks_of(person)}/{task_id}/complete", **sent)


def seen_elsewhere(person: Person, task_id: int) -> dict[str, Any]:
    return person.client.get(f"/api/v1/tasks/{task_id}").json()


def titles(person: Person, **query: Any) -> list[str]:
    return [task["title"] for task in person.client.get(tasks_of(person), params=query).json()["tasks"]]


def test_a_new_task_is_pending(person: Person):
    response = person.client.post(tasks_of(person), json={"title": "Water the plants", "description": "All of them."})

    assert response.status_code == 201
    task = response.json()
    assert list(task) == MEMBERS
    assert task == {
        "id": task["id"],
        "user_id": person.uuid,
        "title": "Water the plants",
        "description": "All of them.",
        "completed": False,
        "created_at": task["created_at"],
        "updated_at": task["created_at"],
    }


@pytest.mark.parametrize("members", [{}, {"description": ""}, {"description": None}])
def test_no_description_is_an_empty_string_here_and_null_elsewhere(person: Person, members: dict[str, Any]):
    task = create(person, **members)

    assert task["description"] == ""
    assert seen_elsewhere(person, task["id"])["description"] is None


@pytest.mark.parametrize("described", [{}, {"description": ""}])
def test_a_task_of_another_contract_has_an_empty_description_at_least(person: Person, described: dict[str, str]):
    task = elsewhere(person, **described)

    response = person.client.get(f"{tasks_of(person)}/{task['id']}")

    assert response.json()["description"] == ""


def test_a_longer_description_of_another_contract_is_shown_whole(person: Person):
    task = elsewhere(person, description="x" * 10_000)

    response = person.client.get(f"{tasks_of(person)}/{task['id']}")

    assert response.json()["description"] == "x" * 10_000


@pytest.mark.parametrize("members", [{"title": "x" * 200}, {"title": "ä", "description": "ö" * 1000}])
def test_what_just_fits_is_taken(person: Person, members: dict[str, str]):
    task = create(person, **members)

    assert {name: task[name] for name in members} == members


@once
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"description": "x"},
        *[{"title": title} for title in (None, 7, "", " \t\n", "x" * 201, "NUL \0", ["x"])],
        *[{"title": "x", "description": description} for description in (7, "x" * 1001, "NUL \0", {})],
    ],
)
def test_what_is_no_task_is_refused_and_not_kept(person: Person, body: dict[str, object]):
    response = person.client.post(tasks_of(person), json=body)

    assert response.status_code == 400
    error = response.json()["error"]
    assert list(error) == ["code", "message", "details"]
    assert error["code"] == "bad_input"
    assert {detail["field"] for detail in error["details"]} <= {"title", "description"}
    assert titles(person) == []


@once
@pytest.mark.parametrize("body", [{"title": ""}, {"title": None}, {"description": None}, {"description": "x" * 1001}])
def test_a_change_that_breaks_the_schema_changes_nothing(person: Person, body: dict[str, object]):
    task = create(person)

    response = person.client.put(f"{tasks_of(person)}/{task['id']}", json={"title": "New", **body})

    assert response.status_code == 400
    assert person.client.get(f"{tasks_of(person)}/{task['id']}").json() == task


@pytest.mark.parametrize(("member", "value"), [("title", "Water them all"), ("description", ""), ("description", "x")])
def test_one_member_is_changed_and_the_others_stay(person: Person, member: str, value: str):
    task = create(person, description="Those on the balcony too.")

    response = person.client.put(f"{tasks_of(person)}/{task['id']}", json={member: value})

    assert response.status_code == 200
    changed = response.json()
    assert changed == {**task, member: value, "updated_at": changed["updated_at"]}
    assert changed["updated_at"] > task["updated_at"]


def test_an_empty_change_changes_nothing(person: Person):
    task = create(person)

    response = person.client.put(f"{tasks_of(person)}/{task['id']}", json={})

    assert response.status_code == 200
    assert response.json() == task


def test_what_this_contract_cannot_say_is_left_alone(person: Person):
    said = {"status": "in_progress", "priority": "high", "due_date": "2026-03-20"}
    task = elsewhere(person, **said)
    sent = {"title": "Changed", "status": "completed", "priority": "low", "due_date": None, "completed": True}

    person.client.put(f"{tasks_of(person)}/{task['id']}", json=sent)

    changed = seen_elsewhere(person, task["id"])
    assert changed == {**task, "title": "Changed", "updated_at": changed["updated_at"]}


def test_a_deleted_task_is_gone(person: Person):
    task = create(person)

    response = person.client.delete(f"{tasks_of(person)}/{task['id']}")

    assert response.status_code == 200
    assert response.json() == {"message": "Task deleted successfully"}
    assert person.client.get(f"{tasks_of(person)}/{task['id']}").status_code == 404
    assert person.client.delete(f"{tasks_of(person)}/{task['id']}").status_code == 404


@pytest.mark.parametrize(
    "nothing",
    [{}, {"json": {}}, {"content": b""}, {"content": b"", "headers": {"Content-Type": "application/json"}}],
)
def test_nothing_said_toggles(person: Person, nothing: dict[str, Any]):
    task = create(person)

    answers = [complete(person, task["id"], **nothing) for _ in range(3)]

    assert [answer.json()["completed"] for answer in answers] == [True, False, True]
    assert {answer.status_code for answer in answers} == {200}
    assert seen_elsewhere(person, task["id"])["status"] == "completed"


@pytest.mark.parametrize("status", ["pending", "in_progress", "deferred", "completed"])
@pytest.mark.parametrize("completed", [True, False, None])
def test_only_a_completed_task_is_reopened_and_then_as_pending(person: Person, status: str, completed: bool | None):
    task = elsewhere(person, status=status)
    wanted = (status != "completed") if completed is None else completed
    after = "completed" if wanted else "pending" if status == "completed" else status

    response = complete(person, task["id"], json={} if completed is None else {"completed": completed})

    seen = seen_elsewhere(person, task["id"])
    assert response.json()["completed"] is wanted
    assert seen["status"] == after
    assert (seen["completed_at"] is None) == (after != "completed")


def test_completing_a_task_again_keeps_the_first_instant(person: Person):
    task = elsewhere(person, status="completed")

    complete(person, task["id"], json={"completed": True})

    assert seen_elsewhere(person, task["id"])["completed_at"] == task["completed_at"]


@once
@pytest.mark.parametrize("value", [None, 0, 1, "true", [], {}])
def test_what_is_neither_true_nor_false_is_bad_input(person: Person, value: object):
    task = create(person)

    response = complete(person, task["id"], json={"completed": value})

    assert response.status_code == 400
    assert response.json()["error"]["details"] == [{"field": "completed", "message": "must be true or false"}]
    assert person.client.get(f"{tasks_of(person)}/{task['id']}").json() == task


def test_completing_a_recurring_task_makes_its_next_occurrence_once(person: Person):
    with transaction() as session:
        values = {"title": "Water the plants", "due_at": datetime(2026, 3, 20, 12, tzinfo=UTC)}
        task = add(session, Task, values, owner=person.id, at=clock.now())
        task.recurrence = RecurrencePattern(pattern_type="weekly")

    for _ in range(3):
        complete(person, task.id)

    listed = person.client.get("/api/v1/tasks", params={"sort_by": "due_date", "sort_order": "asc"}).json()["tasks"]
    assert [(one["due_date"], one["status"]) for one in listed] == [
        ("2026-03-20", "completed"),
        ("2026-03-27", "pending"),
    ]


def test_a_task_of_workspace_is_read_changed_completed_and_deleted_here(person: Person):
    todo = person.client.post(TODOS, json={"title": "Water the plants"}).json()
    path = f"{tasks_of(person)}/{todo['id']}"

    read = person.client.get(path).json()
    person.client.put(path, json={"title": "Water them all"})
    person.client.patch(f"{path}/complete")

    assert read["title"] == "Water the plants"
    changed = person.client.get(f"{TODOS}/{todo['id']}").json()
    assert (changed["title"], changed["status"]) == ("Water them all", "completed")
    assert person.client.delete(path).status_code == 200
    assert person.client.get(f"{TODOS}/{todo['id']}").status_code == 404
