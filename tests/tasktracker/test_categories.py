from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest

import clock
from db.sql.engine import transaction
from db.sql.listings import FIRST_ROWS
from db.sql.ownership import add
from db.tasks.recurrence import RecurrencePattern
from db.tasks.tasks import Task
from tests.conftest import Person, once
from tests.tasktracker.test_tasks import CATEGORIES, TASKS


def create(client: httpx.Client, name: str = "Reporting", **members: object) -> dict[str, Any]:
    return client.post(CATEGORIES, json={"name": name, **members}).json()


def test_a_new_category_is_gray_unless_told_otherwise(person: Person):
    response = person.client.post(CATEGORIES, json={"name": "Household"})

    assert response.status_code == 201
    category = response.json()
    assert category == {
        "id": category["id"],
        "user_id": person.id,
        "name": "Household",
        "color": "#6B7280",
        "created_at": category["created_at"],
        "updated_at": category["created_at"],
    }
    assert list(category) == ["id", "user_id", "name", "color", "created_at", "updated_at"]


@pytest.mark.parametrize(("said", "color"), [(None, "#6B7280"), ("#2f6FDE", "#2f6FDE")])
def test_a_category_has_the_color_that_is_said(client: httpx.Client, said: str | None, color: str):
    category = create(client, color=said)

    assert category["color"] == color
    assert client.get(f"{CATEGORIES}/{category['id']}").json() == category


def test_white_space_around_a_name_is_taken_away(client: httpx.Client):
    category = create(client, " \t Reports and reviews\n")

    renamed = client.put(f"{CATEGORIES}/{category['id']}", json={"name": "  Reporting "}).json()

    assert (category["name"], renamed["name"]) == ("Reports and reviews", "Reporting")


def test_one_member_is_changed_and_the_other_stays(client: httpx.Client):
    category = create(client, color="#2F6FDE")

    renamed = client.put(f"{CATEGORIES}/{category['id']}", json={"name": "Reviews"}).json()
    recolored = client.put(f"{CATEGORIES}/{category['id']}", json={"color": "#C2410C"}).json()

    assert (renamed["name"], renamed["color"]) == ("Reviews", "#2F6FDE")
    assert (recolored["name"], recolored["color"]) == ("Reviews", "#C2410C")
    assert recolored["updated_at"] > category["updated_at"]


def test_an_empty_change_changes_nothing(client: httpx.Client):
    category = create(client)

    response = client.put(f"{CATEGORIES}/{category['id']}", json={})

    assert response.status_code == 200
    assert response.json() == category


@pytest.mark.parametrize("name", ["Reporting", "  Reporting  "])
def test_a_name_is_given_once_in_an_account(client: httpx.Client, name: str):
    create(client)
    other = create(client, "Household")

    created = client.post(CATEGORIES, json={"name": name})
    renamed = client.put(f"{CATEGORIES}/{other['id']}", json={"name": name})

    assert (created.status_code, created.json()["code"]) == (400, "category_name_taken")
    assert (renamed.status_code, renamed.json()["code"]) == (400, "category_name_taken")
    assert client.get(CATEGORIES).json()["total"] == 2


def test_a_category_keeps_its_own_name(client: httpx.Client):
    category = create(client)

    response = client.put(f"{CATEGORIES}/{category['id']}", json={"name": category["name"], "color": "#C2410C"})

    assert response.status_code == 200


def test_another_account_may_use_the_same_name(client: httpx.Client, stranger: httpx.Client):
    create(stranger)

    response = client.post(CATEGORIES, json={"name": "Reporting"})

    assert response.status_code == 201


@once
@pytest.mark.parametrize(
    "body",
    [
        {},
        {"color": "#2F6FDE"},
        *[{"name": name} for name in (None, 7, "", " \n", "x" * 101, "NUL \0")],
        *[{"name": "Reporting", "color": color} for color in ("", "red", "#FFF", "#2F6FDG", "#2F6FDE\n", 7)],
    ],
)
def test_what_is_no_category_is_refused_and_not_kept(client: httpx.Client, body: dict[str, object]):
    response = client.post(CATEGORIES, json=body)

    assert (response.status_code, response.json()["code"]) == (400, "bad_input")
    assert client.get(CATEGORIES).json()["categories"] == []


def test_a_name_may_have_a_hundred_characters(client: httpx.Client):
    category = create(client, "ä" * 100)

    assert client.get(f"{CATEGORIES}/{category['id']}").json()["name"] == "ä" * 100


@once
def test_the_color_cannot_be_taken_away(client: httpx.Client):
    category = create(client)

    response = client.put(f"{CATEGORIES}/{category['id']}", json={"color": None})

    assert response.status_code == 400


def test_categories_are_listed_by_name_a_page_at_a_time(client: httpx.Client):
    for name in ("Travel", "Household", "Reporting"):
        create(client, name)

    first = client.get(CATEGORIES, params={"limit": 2}).json()
    second = client.get(CATEGORIES, params={"limit": 2, "offset": 2}).json()
    beyond = client.get(CATEGORIES, params={"offset": 2147483647}).json()

    assert [category["name"] for category in first["categories"]] == ["Household", "Reporting"]
    assert [category["name"] for category in second["categories"]] == ["Travel"]
    assert beyond == {"categories": [], "total": 3, "limit": None, "offset": 2147483647}
    assert {(page["total"], page["limit"]) for page in (first, second)} == {(3, 2)}


def test_all_categories_are_listed_unless_a_limit_is_given(client: httpx.Client):
    names = [f"Name {number:03}" for number in range(FIRST_ROWS + 1)]
    for name in names:
        create(client, name)

    every = client.get(CATEGORIES).json()
    rest = client.get(CATEGORIES, params={"offset": 2}).json()

    assert [category["name"] for category in every["categories"]] == names
    assert [category["name"] for category in rest["categories"]] == names[2:]
    assert [(one["total"], one["limit"], one["offset"]) for one in (every, rest)] == [
        (len(names), None, 0),
        (len(names), None, 2),
    ]


@once
@pytest.mark.parametrize("limit", ["0", "101", "-1", "abc", "", "null"])
def test_a_limit_of_categories_is_from_1_to_100(client: httpx.Client, limit: str):
    response = client.get(CATEGORIES, params={"limit": limit})

    assert (response.status_code, response.json()["errors"][0]["field"]) == (400, "limit")


def test_deleting_a_category_leaves_its_tasks_without_one(client: httpx.Client):
    kept, deleted = create(client, "Household"), create(client)
    tasks = [
        client.post(TASKS, json={"title": "Prepare the review", "category_id": one["id"]}).json()
        for one in (kept, deleted)
    ]

    response = client.delete(f"{CATEGORIES}/{deleted['id']}")

    assert (response.status_code, response.content) == (204, b"")
    assert client.get(f"{CATEGORIES}/{deleted['id']}").json()["code"] == "category_not_found"
    assert client.get(f"{TASKS}/{tasks[0]['id']}").json() == tasks[0]
    assert client.get(f"{TASKS}/{tasks[1]['id']}").json() == {**tasks[1], "category_id": None}


def test_somebody_elses_category_keeps_its_tasks(client: httpx.Client, stranger: httpx.Client):
    category = create(stranger)
    task = stranger.post(TASKS, json={"title": "Mine", "category_id": category["id"]}).json()

    response = client.delete(f"{CATEGORIES}/{category['id']}")

    assert response.status_code == 403
    assert stranger.get(f"{TASKS}/{task['id']}").json() == task


def at_once(*requests: Callable[[], httpx.Response]) -> list[int]:
    with ThreadPoolExecutor(len(requests)) as threads:
        return sorted(answer.result().status_code for answer in [threads.submit(one) for one in requests])


def test_of_many_who_want_one_name_one_gets_it(client: httpx.Client):
    statuses = at_once(*[lambda: client.post(CATEGORIES, json={"name": "Reporting"})] * 8)

    assert statuses == [201] + [400] * 7
    assert client.get(CATEGORIES).json()["total"] == 1


@pytest.mark.parametrize("_round", range(5))
def test_a_category_may_go_while_tasks_come_into_it(client: httpx.Client, _round: int):
    category = create(client)
    task = client.post(TASKS, json={"title": "Prepare the review", "category_id": category["id"]}).json()
    into_it = {"title": "Prepare the review", "category_id": category["id"], "status": "completed"}

    statuses = at_once(
        *[lambda: client.post(TASKS, json=into_it)] * 4,
        *[lambda: client.put(f"{TASKS}/{task['id']}", json=into_it)] * 4,
        lambda: client.delete(f"{CATEGORIES}/{category['id']}"),
    )

    assert set(statuses) <= {200, 201, 204, 404}
    assert {task["category_id"] for task in client.get(TASKS).json()["tasks"]} == {None}


@pytest.mark.parametrize("_round", range(5))
def test_a_category_may_go_while_a_recurring_task_in_it_is_completed(person: Person, _round: int):
    category = create(person.client)
    with transaction() as session:
        values = {"title": "Report", "category_id": category["id"]}
        task = add(session, Task, values, owner=person.id, at=clock.now())
        task.recurrence = RecurrencePattern(pattern_type="weekly")

    statuses = at_once(
        lambda: person.client.put(f"{TASKS}/{task.id}", json={"status": "completed"}),
        lambda: person.client.delete(f"{CATEGORIES}/{category['id']}"),
    )

    assert statuses == [200, 204]
    assert [one["category_id"] for one in person.client.get(TASKS).json()["tasks"]] == [None, None]
