"""The list: its orders, its filter, its counts."""

from typing import Any

import httpx
import pytest

from tests.conftest import Person, once
from tests.todo.test_tasks import create, elsewhere, tasks_of, titles


def test_the_newest_task_comes_first(person: Person):
    for title in ("b", "c", "a"):
        create(person, title)

    assert titles(person) == titles(person, sort="created") == ["a", "c", "b"]


def test_titles_are_sorted_regardless_of_case(person: Person):
    for title in ("b", "ä", "A", "Ä", "C", "a", "Straße", "STRASSE", "z"):
        create(person, title)

    assert titles(person, sort="title") == ["A", "a", "b", "C", "Straße", "STRASSE", "z", "ä", "Ä"]


def test_a_new_title_moves_a_task_in_the_list(person: Person):
    task, _ = create(person, "a"), create(person, "b")

    person.client.put(f"{tasks_of(person)}/{task['id']}", json={"title": "C"})

    assert titles(person, sort="title") == ["b", "C"]


def test_what_is_due_soonest_comes_first_and_what_is_never_due_last(person: Person):
    for title, due_date in {"never": None, "later": "2026-03-21", "soon": "2026-03-20", "not at all": None}.items():
        elsewhere(person, title=title, due_date=due_date)

    assert titles(person, sort="due_date") == ["soon", "later", "never", "not at all"]


@pytest.mark.parametrize(
    ("query", "shown"),
    [
        ({}, "dcba"),
        ({"status": "all"}, "dcba"),
        ({"status": "pending"}, "dba"),
        ({"status": "completed"}, "c"),
        ({"status": "pending", "sort": "title"}, "abd"),
        ({"limit": 1}, "d"),
        ({"limit": 2, "offset": 1}, "cb"),
        ({"offset": 3}, "a"),
        ({"offset": 4}, ""),
        ({"status": "pending", "limit": 1000, "offset": 1}, "ba"),
    ],
)
def test_the_counts_are_over_all_tasks_whatever_is_shown(person: Person, query: dict[str, Any], shown: str):
    for title, status in {"a": "pending", "b": "in_progress", "c": "completed", "d": "deferred"}.items():
        elsewhere(person, title=title, status=status)

    response = person.client.get(tasks_of(person), params=query)

    assert response.status_code == 200
    listed = response.json()
    assert list(listed) == ["tasks", "total_count", "completed_count", "pending_count"]
    assert "".join(task["title"] for task in listed["tasks"]) == shown
    assert (listed["total_count"], listed["completed_count"], listed["pending_count"]) == (4, 1, 3)


def test_a_list_without_a_limit_has_everything(person: Person):
    for number in range(120):
        create(person, f"{number}")

    assert titles(person) == [f"{number}" for number in range(119, -1, -1)]


def test_other_peoples_tasks_are_neither_listed_nor_counted(person: Person, stranger: httpx.Client):
    stranger.post("/api/v1/tasks", json={"title": "Theirs"})

    response = person.client.get(tasks_of(person))

    assert response.json() == {"tasks": [], "total_count": 0, "completed_count": 0, "pending_count": 0}


@once
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("status", value) for value in ("", "done", "ALL", "in_progress")],
        *[("sort", value) for value in ("", "id", "created_at", "-created")],
        *[("limit", value) for value in ("", "0", "1001", "ten")],
        *[("offset", value) for value in ("", "-1", "2147483648")],
    ],
)
def test_a_query_that_cannot_be_is_bad_input(person: Person, name: str, value: str):
    response = person.client.get(tasks_of(person), params={name: value})

    assert response.status_code == 400
    assert {detail["field"] for detail in response.json()["error"]["details"]} == {name}
