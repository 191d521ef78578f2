from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from db.sql.engine import transaction
from db.tasks.tasks import Task
from tests.conftest import Person, once
from tests.tasktracker.test_tasks import TASKS, category_of


def listed(client: httpx.Client, **query: Any) -> list[str]:
    return [task["title"] for task in client.get(TASKS, params=query).json()["tasks"]]


def add(client: httpx.Client, title: str, **members: object) -> dict[str, Any]:
    return client.post(TASKS, json={"title": title, **members}).json()


def test_a_list_of_nothing_is_an_empty_page(client: httpx.Client):
    response = client.get(TASKS)

    assert response.status_code == 200
    assert response.json() == {"tasks": [], "total": 0, "limit": 20, "offset": 0}


def test_a_page_holds_the_twenty_newest_tasks_unless_told_otherwise(client: httpx.Client):
    for number in range(21):
        add(client, f"{number}")

    page = client.get(TASKS).json()

    assert [task["title"] for task in page["tasks"]] == [f"{number}" for number in range(20, 0, -1)]
    assert (page["total"], page["limit"], page["offset"]) == (21, 20, 0)


@pytest.mark.parametrize(
    ("limit", "offset", "titles"),
    [(1, 0, "e"), (2, 1, "dc"), (3, 3, "ba"), (5, 0, "edcba"), (100, 4, "a"), (2, 5, ""), (2, 2147483647, "")],
)
def test_a_page_is_as_long_and_begins_where_one_says(client: httpx.Client, limit: int, offset: int, titles: str):
    for title in "abcde":
        add(client, title)

    page = client.get(TASKS, params={"limit": limit, "offset": offset}).json()

    assert [task["title"] for task in page["tasks"]] == list(titles)
    assert (page["total"], page["limit"], page["offset"]) == (5, limit, offset)


def test_other_peoples_tasks_are_neither_listed_nor_counted(client: httpx.Client, stranger: httpx.Client):
    add(stranger, "theirs", category_id=category_of(stranger))
    add(client, "mine")

    page = client.get(TASKS).json()

    assert [task["title"] for task in page["tasks"]] == ["mine"]
    assert page["total"] == 1


def test_a_status_is_filtered_by(client: httpx.Client):
    for status in ("pending", "in_progress", "completed", "deferred"):
        add(client, status, status=status)

    pages = {status: listed(client, status=status) for status in ("pending", "in_progress", "completed", "deferred")}

    assert pages == {status: [status] for status in pages}


def test_a_category_is_filtered_by(client: httpx.Client):
    category, other = category_of(client), category_of(client, "Household")
    add(client, "in it", category_id=category)
    add(client, "in another", category_id=other)
    add(client, "in none")

    assert listed(client, category_id=category) == ["in it"]


def test_a_category_to_filter_by_is_ones_own(client: httpx.Client, stranger: httpx.Client):
    foreign = category_of(stranger)

    assert client.get(TASKS, params={"category_id": foreign}).status_code == 403
    assert client.get(TASKS, params={"category_id": 2**53 - 1}).status_code == 404


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ({"due_date": "2026-03-20"}, ["end", "noon", "start"]),
        ({"due_before": "2026-03-20"}, ["day before"]),
        ({"due_after": "2026-03-20"}, ["day after"]),
        ({"due_before": "2026-03-21"}, ["end", "noon", "start", "day before"]),
        ({"due_after": "2026-03-19"}, ["day after", "end", "noon", "start"]),
        ({"due_after": "2026-03-19", "due_before": "2026-03-21"}, ["end", "noon", "start"]),
        ({"due_date": "2026-03-20", "due_after": "2026-03-20"}, []),
        ({"due_before": "0001-01-01"}, []),
        ({"due_after": "9999-12-31"}, []),
        ({"due_date": "9999-12-31"}, []),
    ],
)
def test_a_due_date_is_filtered_by_its_day_in_utc(person: Person, query: dict[str, str], titles: list[str]):
    due = {
        "day before": datetime(2026, 3, 19, 23, 59, 59, 999999, UTC),
        "start": datetime(2026, 3, 20, 0, 0, 0, 0, UTC),
        "noon": datetime(2026, 3, 20, 12, 0, 0, 0, UTC),
        "end": datetime(2026, 3, 20, 23, 59, 59, 999999, UTC),
        "day after": datetime(2026, 3, 21, 0, 0, 0, 0, UTC),
        "never": None,
    }
    with transaction() as session:
        for title, due_at in due.items():
            at = datetime(2026, 1, 1, tzinfo=UTC)
            session.add(Task(title=title, due_at=due_at, account_id=person.id, created_at=at, updated_at=at))

    page = person.client.get(TASKS, params={**query, "sort_by": "due_date"}).json()

    assert [task["title"] for task in page["tasks"]] == titles
    assert page["total"] == len(titles)


def test_a_task_must_match_all_filters(client: httpx.Client):
    category = category_of(client)
    wanted = {"status": "deferred", "category_id": category, "due_date": "2026-03-20"}
    add(client, "wanted", **wanted)
    add(client, "other status", **{**wanted, "status": "pending"})
    add(client, "other category", **{**wanted, "category_id": None})
    add(client, "other day", **{**wanted, "due_date": "2026-03-21"})

    page = client.get(TASKS, params={**wanted, "due_after": "2026-03-19", "due_before": "2026-03-21"}).json()

    assert [task["title"] for task in page["tasks"]] == ["wanted"]
    assert page["total"] == 1


@pytest.mark.parametrize(
    ("query", "titles"),
    [
        ({}, "54321"),
        ({"sort_by": "created_at"}, "54321"),
        ({"sort_by": "created_at", "sort_order": "asc"}, "12345"),
        ({"sort_by": "due_date"}, "42153"),
        ({"sort_by": "due_date", "sort_order": "asc"}, "12435"),
        ({"sort_by": "priority"}, "52431"),
        ({"sort_by": "priority", "sort_order": "asc"}, "13425"),
    ],
)
def test_tasks_are_sorted_by_meaning_and_those_without_a_due_date_come_last(
    client: httpx.Client, query: dict[str, str], titles: str
):
    add(client, "1", priority="low", due_date="2026-03-19")
    add(client, "2", priority="high", due_date="2026-03-20")
    add(client, "3", priority="medium")
    add(client, "4", priority="medium", due_date="2026-03-20")
    add(client, "5", priority="high")

    assert "".join(listed(client, **query)) == titles


@pytest.mark.parametrize("sort_by", ["created_at", "due_date", "priority"])
@pytest.mark.parametrize("sort_order", ["asc", "desc"])
def test_pages_of_equal_tasks_miss_none_and_repeat_none(person: Person, sort_by: str, sort_order: str):
    with transaction() as session:
        at = datetime(2026, 1, 1, tzinfo=UTC)
        for number in range(7):
            session.add(Task(title=f"{number}", account_id=person.id, created_at=at, updated_at=at))
            session.flush()

    titles = [*pages(person.client, sort_by=sort_by, sort_order=sort_order, limit=2)]

    expected = [f"{number}" for number in range(7)]
    assert titles == (expected if sort_order == "asc" else expected[::-1])


def pages(client: httpx.Client, **query: Any) -> Iterator[str]:
    for offset in range(0, 8, query["limit"]):
        yield from listed(client, **query, offset=offset)


@once
@pytest.mark.parametrize(
    ("name", "value"),
    [
        *[("status", value) for value in ("", "done", "PENDING", "pending,completed")],
        *[("category_id", value) for value in ("", "0", "-1", "abc", "9223372036854775808", "1.5")],
        *[("due_date", value) for value in ("", "2026-02-30", "20260320", "2026-03-20T00:00:00Z", "today")],
        *[("due_before", value) for value in ("", "2026-02-30")],
        *[("due_after", value) for value in ("", "0000-01-01")],
        *[("sort_by", value) for value in ("", "title", "id")],
        *[("sort_order", value) for value in ("", "ASC", "up")],
        *[("limit", value) for value in ("", "0", "101", "-1", "ten", "1.5")],
        *[("offset", value) for value in ("", "-1", "2147483648", "x")],
    ],
)
def test_a_query_that_cannot_be_is_bad_input(client: httpx.Client, name: str, value: str):
    response = client.get(TASKS, params={name: value})

    assert (response.status_code, response.json()["code"]) == (400, "bad_input")
    assert {error["field"] for error in response.json()["errors"]} == {name}
