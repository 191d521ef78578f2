from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

import clock
from db.sql.engine import autocommit, transaction
from db.sql.ownership import add
from db.tasks.categories import Category
from db.tasks.details import read_detailed_task, tags_of
from db.tasks.tasks import new_task
from language.texts import instant_json
from tests.conftest import Person, once

TODOS = "/api/v1/todo/todos"
OPEN_STATUSES = ("pending", "in_progress", "deferred")
STATUSES = (*OPEN_STATUSES, "completed")


def create(client: httpx.Client, **members: object) -> dict[str, Any]:
    return client.post(TODOS, json={"title": "Water the plants", **members}).json()


def change(client: httpx.Client, todo: dict[str, Any], **members: object) -> dict[str, Any]:
    return client.put(f"{TODOS}/{todo['id']}", json=members).json()


def test_a_new_todo_has_the_defaults_of_the_contract(person: Person):
    response = person.client.post(TODOS, json={"title": "Water the plants"})

    assert response.status_code == 201
    todo = response.json()
    assert todo == {
        "id": todo["id"],
        "user_id": person.id,
        "title": "Water the plants",
        "description": None,
        "due_date": None,
        "status": "pending",
        "priority": "medium",
        "created_at": todo["created_at"],
        "updated_at": todo["created_at"],
        "completed_at": None,
    }


def test_todos_are_listed_newest_first(client: httpx.Client):
    for title in ("first", "second", "third"):
        create(client, title=title)

    response = client.get(TODOS)

    assert [todo["title"] for todo in response.json()] == ["third", "second", "first"]


def test_a_change_does_not_move_a_todo_in_the_list(client: httpx.Client):
    first, second = create(client), create(client)
    change(client, first, title="Water the cactus")

    response = client.get(TODOS)

    assert [todo["id"] for todo in response.json()] == [second["id"], first["id"]]


@pytest.mark.parametrize("priority", ["low", "medium", "high"])
def test_a_todo_matters_as_much_as_one_says(client: httpx.Client, priority: str):
    todo = create(client, priority=priority)

    assert todo["priority"] == priority
    assert client.get(f"{TODOS}/{todo['id']}").json()["priority"] == priority


@pytest.mark.parametrize("status", OPEN_STATUSES)
def test_a_todo_may_begin_in_any_status(client: httpx.Client, status: str):
    todo = create(client, status=status)

    assert (todo["status"], todo["completed_at"]) == (status, None)


def test_a_todo_may_begin_completed(client: httpx.Client):
    todo = create(client, status="completed")

    assert todo["status"] == "completed"
    assert todo["completed_at"] == todo["created_at"]


@pytest.mark.parametrize("before", STATUSES)
@pytest.mark.parametrize("after", STATUSES)
def test_a_todo_moves_from_any_status_to_any_other(client: httpx.Client, before: str, after: str):
    todo = create(client, status=before)

    moved = change(client, todo, status=after)

    assert moved["status"] == after
    assert (moved["completed_at"] is not None) == (after == "completed")
    assert client.get(f"{TODOS}/{todo['id']}").json() == moved


def test_completing_a_todo_tells_when(client: httpx.Client, monkeypatch: pytest.MonkeyPatch):
    todo = create(client)
    later = clock.now() + timedelta(minutes=1)
    monkeypatch.setattr(clock, "now", lambda: later)

    completed = change(client, todo, status="completed")

    assert completed["completed_at"] == completed["updated_at"] == instant_json(later)


def test_completing_a_todo_again_keeps_the_first_instant(client: httpx.Client):
    todo = change(client, create(client), status="completed")

    again = change(client, todo, status="completed")

    assert again == todo


def test_changing_a_completed_todo_leaves_it_completed(client: httpx.Client):
    todo = change(client, create(client), status="completed")

    renamed = change(client, todo, title="Water the cactus", due_date="2026-03-20")

    assert (renamed["status"], renamed["completed_at"]) == ("completed", todo["completed_at"])


@pytest.mark.parametrize("status", OPEN_STATUSES)
def test_reopening_a_todo_forgets_when_it_was_completed(client: httpx.Client, status: str):
    todo = create(client, status="completed")

    reopened = change(client, todo, status=status)

    assert reopened["completed_at"] is None


def test_a_todo_that_is_reopened_and_completed_again_tells_the_second_instant(client: httpx.Client):
    todo = create(client, status="completed")
    change(client, todo, status="pending")

    completed = change(client, todo, status="completed")

    assert completed["completed_at"] == completed["updated_at"] > todo["completed_at"]


def test_a_due_date_is_set_moved_and_taken_away(client: httpx.Client):
    todo = create(client, due_date="2026-03-20")

    moved = change(client, todo, due_date="2026-03-21")
    taken_away = change(client, todo, due_date=None)

    assert [one["due_date"] for one in (todo, moved, taken_away)] == ["2026-03-20", "2026-03-21", None]


def with_more_than_the_contract_can_say(person: Person) -> dict[str, Any]:
    """Make a to-do that the other contracts gave a time of day, a tag, a category and a recurrence."""
    at = clock.now()
    with transaction() as session:
        category = add(session, Category, {"name": "Home", "color": "#112233"}, owner=person.id, at=at)
        values = {
            "title": "Water the plants",
            "due_at": datetime(2026, 1, 31, 7, 30, tzinfo=UTC),
            "category_id": category.id,
            "tags": ["garden"],
            "recurrence": {"pattern_type": "monthly", "interval": 1},
        }
        task = new_task(session, values, owner=person.id, at=at)
        return {"id": task.id, "uuid": task.uuid}


def test_a_due_instant_is_shown_as_its_day(person: Person):
    todo = with_more_than_the_contract_can_say(person)

    response = person.client.get(f"{TODOS}/{todo['id']}")

    assert response.json()["due_date"] == "2026-01-31"


def test_a_change_leaves_alone_what_the_contract_cannot_say(person: Person):
    todo = with_more_than_the_contract_can_say(person)

    change(person.client, todo, title="Water the cactus", status="in_progress")

    with autocommit() as connection:
        task = read_detailed_task(connection, todo["uuid"], owner=person.id)
    assert task.due_at == datetime(2026, 1, 31, 7, 30, tzinfo=UTC)
    assert [tag.name for tag in tags_of(task)] == ["garden"]
    assert task.category_id is not None
    assert task.recurrence_pattern_type == "monthly"


def test_completing_a_recurring_todo_makes_the_next_one_once(person: Person):
    todo = with_more_than_the_contract_can_say(person)

    for status in ("completed", "pending", "completed"):
        change(person.client, todo, status=status)

    following, completed = person.client.get(TODOS).json()
    assert completed["id"] == todo["id"]
    assert (following["title"], following["status"], following["due_date"]) == (
        "Water the plants",
        "pending",
        "2026-02-28",
    )


@once
def test_a_change_that_is_refused_changes_nothing_of_what_it_holds(client: httpx.Client):
    todo = create(client)

    response = client.put(f"{TODOS}/{todo['id']}", json={"title": "Water the cactus", "status": "done"})

    assert response.status_code == 400
    assert response.json()["errors"] == [
        {"field": "status", "message": "must be one of pending, in_progress, completed, deferred"}
    ]
    assert client.get(f"{TODOS}/{todo['id']}").json() == todo


@once
def test_everything_that_is_wrong_is_told_at_once(client: httpx.Client):
    response = client.post(TODOS, json={"title": " ", "due_date": "tomorrow!!", "priority": "urgent"})

    assert response.status_code == 400
    assert {error["field"] for error in response.json()["errors"]} == {"title", "due_date", "priority"}
