from datetime import timedelta
from typing import Any

import httpx
import pytest

import clock
from language.texts import instant_json
from tests.conftest import Person, once

TASKS = "/api/v1/tasks"
CATEGORIES = "/api/v1/categories"
STATUSES = ("pending", "in_progress", "completed", "deferred")
MEMBERS = [
    "id",
    "user_id",
    "title",
    "description",
    "status",
    "priority",
    "due_date",
    "category_id",
    "created_at",
    "updated_at",
    "completed_at",
]


def create(client: httpx.Client, **members: object) -> dict[str, Any]:
    return client.post(TASKS, json={"title": "Prepare the review", **members}).json()


def category_of(client: httpx.Client, name: str = "Reporting") -> int:
    return client.post(CATEGORIES, json={"name": name}).json()["id"]


def test_a_new_task_has_the_defaults_of_the_contract(person: Person):
    response = person.client.post(TASKS, json={"title": "Prepare the review"})

    assert response.status_code == 201
    task = response.json()
    assert list(task) == MEMBERS
    assert task == {
        "id": task["id"],
        "user_id": person.id,
        "title": "Prepare the review",
        "description": None,
        "status": "pending",
        "priority": "medium",
        "due_date": None,
        "category_id": None,
        "created_at": task["created_at"],
        "updated_at": task["created_at"],
        "completed_at": None,
    }


def test_a_task_takes_all_that_the_contract_names(client: httpx.Client):
    said = {
        "title": "Prepare the review",
        "description": "Figures are due on Thursday.",
        "status": "in_progress",
        "priority": "high",
        "due_date": "2026-03-20",
        "category_id": category_of(client),
    }

    task = client.post(TASKS, json=said).json()

    assert {name: task[name] for name in said} == said
    assert client.get(f"{TASKS}/{task['id']}").json() == task


def test_null_is_as_good_as_nothing(client: httpx.Client):
    task = create(client, description=None, due_date=None, category_id=None)

    assert (task["description"], task["due_date"], task["category_id"]) == (None, None, None)


def test_a_task_may_be_completed_from_the_start(client: httpx.Client):
    task = create(client, status="completed")

    assert task["completed_at"] == task["created_at"]


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("title", "Write the summary"),
        ("description", ""),
        ("status", "deferred"),
        ("priority", "low"),
        ("due_date", "2028-02-29"),
    ],
)
def test_one_member_is_changed_and_the_others_stay(client: httpx.Client, member: str, value: str):
    task = create(client, description="Figures", due_date="2026-03-20", category_id=category_of(client))

    response = client.put(f"{TASKS}/{task['id']}", json={member: value})

    assert response.status_code == 200
    changed = response.json()
    assert changed == {**task, member: value, "updated_at": changed["updated_at"]}
    assert client.get(f"{TASKS}/{task['id']}").json() == changed


@pytest.mark.parametrize("member", ["description", "due_date", "category_id"])
def test_null_takes_a_value_away(client: httpx.Client, member: str):
    task = create(client, description="Figures", due_date="2026-03-20", category_id=category_of(client))

    changed = client.put(f"{TASKS}/{task['id']}", json={member: None}).json()

    assert changed == {**task, member: None, "updated_at": changed["updated_at"]}


def test_an_empty_change_changes_nothing(client: httpx.Client):
    task = create(client)

    response = client.put(f"{TASKS}/{task['id']}", json={})

    assert response.status_code == 200
    assert response.json() == task


@pytest.mark.parametrize("before", STATUSES)
@pytest.mark.parametrize("after", STATUSES)
def test_a_task_moves_from_any_status_to_any_other(client: httpx.Client, before: str, after: str):
    task = create(client, status=before)

    moved = client.put(f"{TASKS}/{task['id']}", json={"status": after}).json()

    assert moved["status"] == after
    assert (moved["completed_at"] is not None) == (after == "completed")
    assert before != after or moved["completed_at"] == task["completed_at"]


def test_completing_a_task_tells_when(client: httpx.Client, monkeypatch: pytest.MonkeyPatch):
    task = create(client)
    later = clock.now() + timedelta(minutes=1)
    monkeypatch.setattr(clock, "now", lambda: later)

    completed = client.put(f"{TASKS}/{task['id']}", json={"status": "completed"}).json()

    assert completed["completed_at"] == completed["updated_at"] == instant_json(later)
    assert completed["created_at"] == task["created_at"]


def test_a_deleted_task_is_gone(client: httpx.Client):
    task = create(client)

    response = client.delete(f"{TASKS}/{task['id']}")

    assert (response.status_code, response.content) == (204, b"")
    assert client.get(f"{TASKS}/{task['id']}").json()["code"] == "task_not_found"
    assert client.get(TASKS).json()["total"] == 0


@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_task_goes_into_a_category_of_its_own_account_alone(
    client: httpx.Client, stranger: httpx.Client, method: str
):
    path = TASKS if method == "POST" else f"{TASKS}/{create(client)['id']}"
    before = client.get(TASKS).json()

    foreign = client.request(method, path, json={"title": "Spy", "category_id": category_of(stranger)})
    unknown = client.request(method, path, json={"title": "Spy", "category_id": 2**53 - 1})

    assert (foreign.status_code, foreign.json()["code"]) == (403, "forbidden")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "category_not_found")
    assert client.get(TASKS).json() == before


def test_the_task_itself_is_looked_for_before_its_category(client: httpx.Client, stranger: httpx.Client):
    task = create(stranger)

    foreign = client.put(f"{TASKS}/{task['id']}", json={"category_id": 2**53 - 1})
    unknown = client.put(f"{TASKS}/{2**53 - 1}", json={"category_id": category_of(stranger)})

    assert foreign.json()["message"] == "This task belongs to somebody else."
    assert unknown.json()["code"] == "task_not_found"


@once
@pytest.mark.parametrize("category_id", [0, -1, 2**53, 1.5, "1", True, [1]])
def test_a_category_that_cannot_be_one_is_bad_input(client: httpx.Client, category_id: object):
    response = client.post(TASKS, json={"title": "Prepare the review", "category_id": category_id})

    assert response.status_code == 400
    assert [error["field"] for error in response.json()["errors"]] == ["category_id"]


def test_a_day_is_the_end_of_that_day_elsewhere_too(client: httpx.Client):
    task = create(client, due_date="2026-03-20")

    todo = client.get(f"/api/v1/todo/todos/{task['id']}").json()

    assert todo["due_date"] == "2026-03-20"


def test_a_category_survives_a_change_in_a_dialect_that_has_none(client: httpx.Client):
    task = create(client, category_id=category_of(client))
    client.put(f"/api/v1/todo/todos/{task['id']}", json={"title": "Water the plants", "category_id": None})

    changed = client.get(f"{TASKS}/{task['id']}").json()

    assert (changed["title"], changed["category_id"]) == ("Water the plants", task["category_id"])
