"""One task list: what is made through one contract is read, changed, done and deleted through every other."""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import product
from typing import Any

import pytest

from tests.conftest import Person


@dataclass(frozen=True)
class Dialect:
    """How one contract speaks of the list: its path, how it says done and not done, and what it shows of each."""

    name: str
    path: Callable[[Person], str]
    done: dict[str, Any]
    reopened: dict[str, Any]
    no_description: str | None
    day: str | None
    """The member that tells when a task is due, and how the last second of 2026-03-20 reads there."""
    due: str | None

    def tasks(self, person: Person) -> dict[str, dict[str, Any]]:
        answer = person.client.get(self.path(person)).json()
        tasks = answer if isinstance(answer, list) else answer["tasks"]
        return {task["title"]: task for task in tasks}

    def add(self, person: Person, **members: Any) -> None:
        assert person.client.post(self.path(person), json=members).status_code == 201

    def change(self, person: Person, title: str, /, **members: Any) -> None:
        task = self.tasks(person)[title]
        at = f"{self.path(person)}/{task['id']}"
        is_patch = "completed" in members
        response = (
            person.client.patch(f"{at}/complete", json=members) if is_patch else person.client.put(at, json=members)
        )
        assert response.status_code == 200

    def delete(self, person: Person, title: str) -> None:
        task = self.tasks(person)[title]
        assert person.client.delete(f"{self.path(person)}/{task['id']}").is_success

    def is_done(self, task: dict[str, Any]) -> bool:
        return task.get("status") == "completed" or task.get("completed") is True


DONE, PENDING, ACTIVE = {"status": "completed"}, {"status": "pending"}, {"status": "active"}
DAY, INSTANT = "2026-03-20", "2026-03-20T23:59:59.000000Z"
DIALECTS = (
    Dialect("workspace", lambda _: "/api/v1/todo/todos", DONE, PENDING, None, "due_date", DAY),
    Dialect("fullstack", lambda _: "/v1/tasks", DONE, ACTIVE, None, "due_date", INSTANT),
    Dialect("tasktracker", lambda _: "/api/v1/tasks", DONE, PENDING, None, "due_date", DAY),
    Dialect("todo", lambda who: f"/api/{who.uuid}/tasks", {"completed": True}, {"completed": False}, "", None, None),
)
PAIRS = [pytest.param(*pair, id=f"{pair[0].name}-{pair[1].name}") for pair in product(DIALECTS, DIALECTS)]
FULLSTACK, TASKTRACKER = DIALECTS[1], DIALECTS[2]
RICH = {
    "due_date": "2026-01-31T15:00:00.25Z",
    "priority": "high",
    "tags": ["garden", " home "],
    "recurrence_pattern": {"pattern_type": "monthly", "end_date": "2027-01-01T00:00:00Z", "occurrences_count": 9},
}
"""What fullstack alone can say."""


@pytest.mark.parametrize(("maker", "other"), PAIRS)
def test_a_task_of_one_dialect_is_read_and_changed_in_another(person: Person, maker: Dialect, other: Dialect):
    maker.add(person, title="Water the plants", description="All of them")
    assert other.tasks(person)["Water the plants"]["description"] == "All of them"

    other.change(person, "Water the plants", title="Water the cactus", description="")

    assert maker.tasks(person).keys() == {"Water the cactus"}
    assert maker.tasks(person)["Water the cactus"]["description"] in ("", None)


@pytest.mark.parametrize(("maker", "other"), PAIRS)
def test_a_task_without_a_description_has_none_in_every_dialect(person: Person, maker: Dialect, other: Dialect):
    maker.add(person, title="Bare")

    assert other.tasks(person)["Bare"]["description"] == other.no_description


@pytest.mark.parametrize(("maker", "other"), PAIRS)
def test_a_task_of_one_dialect_is_done_and_reopened_in_another(person: Person, maker: Dialect, other: Dialect):
    maker.add(person, title="Water the plants")

    other.change(person, "Water the plants", **other.done)
    done = maker.is_done(maker.tasks(person)["Water the plants"])
    other.change(person, "Water the plants", **other.reopened)

    assert done
    assert not maker.is_done(maker.tasks(person)["Water the plants"])
    assert TASKTRACKER.tasks(person)["Water the plants"]["status"] == "pending"
    assert TASKTRACKER.tasks(person)["Water the plants"]["completed_at"] is None


@pytest.mark.parametrize(("maker", "other"), PAIRS)
def test_a_task_of_one_dialect_is_deleted_in_another(person: Person, maker: Dialect, other: Dialect):
    maker.add(person, title="Water the plants")

    other.delete(person, "Water the plants")

    assert maker.tasks(person) == {}


@pytest.mark.parametrize(("maker", "other"), PAIRS)
def test_a_due_date_is_a_day_in_one_dialect_and_an_instant_in_another(person: Person, maker: Dialect, other: Dialect):
    speaker = maker if maker.day else TASKTRACKER
    maker.add(person, title="Water the plants")
    speaker.change(person, "Water the plants", due_date=speaker.due)

    other.change(person, "Water the plants", title="Water the cactus")

    for dialect in DIALECTS:
        assert dialect.day is None or dialect.tasks(person)["Water the cactus"][dialect.day] == dialect.due


@pytest.mark.parametrize(("maker", "other"), PAIRS)
def test_what_a_dialect_shows_is_sent_back_to_it_and_changes_nothing(person: Person, maker: Dialect, other: Dialect):
    maker.add(person, title=" Water the plants ", description="")
    FULLSTACK.change(person, " Water the plants ", **RICH)
    category = person.client.post("/api/v1/categories", json={"name": "Home"}).json()
    TASKTRACKER.change(person, " Water the plants ", category_id=category["id"])
    before = {dialect.name: dialect.tasks(person) for dialect in DIALECTS}

    task = other.tasks(person)[" Water the plants "]
    answer = person.client.put(f"{other.path(person)}/{task['id']}", json=task)

    assert (answer.status_code, answer.json()) == (200, task)
    assert {dialect.name: dialect.tasks(person) for dialect in DIALECTS} == before


@pytest.mark.parametrize("other", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_completed_occurrence_is_sent_back_without_another_one(person: Person, other: Dialect):
    FULLSTACK.add(person, title="Water the plants", **RICH)
    FULLSTACK.change(person, "Water the plants", **DONE)
    (following,) = person.client.get("/v1/tasks", params={"status": "active"}).json()["tasks"]
    person.client.put(f"/v1/tasks/{following['id']}", json={"title": "Water them again"})
    before = FULLSTACK.tasks(person)

    task = other.tasks(person)["Water the plants"]
    answer = person.client.put(f"{other.path(person)}/{task['id']}", json=task)

    assert (answer.status_code, answer.json()) == (200, task)
    assert FULLSTACK.tasks(person) == before
    assert len(before) == 2


@pytest.mark.parametrize("dialect", [DIALECTS[0], TASKTRACKER], ids=lambda dialect: dialect.name)
def test_the_day_of_an_instant_leaves_it_alone_and_another_day_means_its_end(person: Person, dialect: Dialect):
    FULLSTACK.add(person, title="Water the plants", due_date="2026-03-20T15:00:00Z")

    dialect.change(person, "Water the plants", due_date="2026-03-20")
    same = FULLSTACK.tasks(person)["Water the plants"]["due_date"]
    dialect.change(person, "Water the plants", due_date="2026-03-21")

    assert same == "2026-03-20T15:00:00.000000Z"
    assert FULLSTACK.tasks(person)["Water the plants"]["due_date"] == "2026-03-21T23:59:59.000000Z"


@pytest.mark.parametrize("status", ["in_progress", "deferred"])
@pytest.mark.parametrize("other", DIALECTS[1::2], ids=lambda dialect: dialect.name)
def test_saying_not_done_leaves_a_status_alone_that_a_dialect_cannot_say(person: Person, other: Dialect, status: str):
    TASKTRACKER.add(person, title="Water the plants", status=status)

    other.change(person, "Water the plants", **other.reopened)

    assert TASKTRACKER.tasks(person)["Water the plants"]["status"] == status


@pytest.mark.parametrize("other", DIALECTS, ids=lambda dialect: dialect.name)
def test_tags_recurrence_and_category_survive_a_change_in_a_dialect_that_cannot_say_them(
    person: Person, other: Dialect
):
    pattern = {"pattern_type": "weekly", "interval": 2}
    FULLSTACK.add(person, title="Water the plants", tags=["garden", "home"], recurrence_pattern=pattern)
    category = person.client.post("/api/v1/categories", json={"name": "Home"}).json()
    TASKTRACKER.change(person, "Water the plants", category_id=category["id"])

    other.change(person, "Water the plants", title="Water the cactus", description="With care")

    task = FULLSTACK.tasks(person)["Water the cactus"]
    assert [tag["name"] for tag in task["tags"]] == ["garden", "home"]
    assert (task["recurrence_pattern"]["pattern_type"], task["recurrence_pattern"]["interval"]) == ("weekly", 2)
    assert TASKTRACKER.tasks(person)["Water the cactus"]["category_id"] == category["id"]


@pytest.mark.parametrize("other", DIALECTS, ids=lambda dialect: dialect.name)
def test_completing_a_recurring_task_in_any_dialect_makes_its_next_occurrence_once(person: Person, other: Dialect):
    pattern = {"pattern_type": "monthly"}
    FULLSTACK.add(
        person, title="Pay the rent", due_date="2026-01-31T23:59:59Z", tags=["home"], recurrence_pattern=pattern
    )
    (first,) = FULLSTACK.tasks(person).values()
    at = f"{other.path(person)}/{other.tasks(person)['Pay the rent']['id']}"
    send = (
        (lambda body: person.client.patch(f"{at}/complete", json=body))
        if other.name == "todo"
        else (lambda body: person.client.put(at, json=body))
    )

    for body in (other.done, other.reopened, other.done):
        assert send(body).status_code == 200

    tasks = person.client.get("/v1/tasks").json()["tasks"]
    (following,) = [task for task in tasks if task["id"] != first["id"]]
    assert len(tasks) == 2
    assert following["due_date"] == "2026-02-28T23:59:59.000000Z"
    assert [tag["name"] for tag in following["tags"]] == ["home"]
