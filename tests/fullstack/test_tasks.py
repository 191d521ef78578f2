from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from db.tasks.tags import color_of
from tests.conftest import Person, once

TASKS, TODOS = "/v1/tasks", "/api/v1/todo/todos"

WRONG = {
    "title": [None, "", " \t\u2003", "x" * 201, "NUL\0", 7, ["x"]],
    "description": ["x" * 10_001, "NUL\0 within", 7, {}],
    "priority": [None, "", "urgent", "HIGH", 3],
    "due_date": [
        " ",
        "tomorrow",
        "2026-12-24",
        "2026-12-24T10:00:00",
        "2026-02-30T10:00:00Z",
        1,
        "0001-01-01T00:00:00+14:00",
    ],
    "tags": [
        *(None, "work", [""], [" "], [7], [None], ["x" * 51], ["NUL\0"], ["x"] * 51),
        *(
            [{}],
            [{"name": None}],
            [{"name": " "}],
            [{"name": "x" * 51}],
            [{"id": "work"}],
            [["work"]],
            [{"name": "x"}] * 51,
        ),
    ],
    "recurrence_pattern": [
        {},
        [],
        "weekly",
        {"pattern_type": None},
        {"pattern_type": "hourly"},
        {"pattern_type": "daily", "interval": 0},
        {"pattern_type": "daily", "interval": None},
        {"pattern_type": "daily", "interval": 1.5},
        {"pattern_type": "daily", "interval": 1001},
        {"pattern_type": "daily", "end_date": "2026-12-24"},
        {"pattern_type": "daily", "occurrences_count": 0},
        {"pattern_type": "daily", "occurrences_count": "2"},
    ],
}
EVERYTHING = {
    "title": "Send the weekly report",
    "description": "Figures first, then the outlook.",
    "priority": "high",
    "due_date": "2026-03-13T16:00:00.5+01:00",
    "tags": ["work", "important"],
    "recurrence_pattern": {
        "pattern_type": "weekly",
        "interval": 2,
        "end_date": "2026-12-31t23:59:59z",
        "occurrences_count": 9,
    },
}


def new_task(client: httpx.Client, **members: object) -> dict:
    response = client.post(TASKS, json={"title": "Water the plants", **members})
    assert response.status_code == 201, response.text
    return response.json()


def change(client: httpx.Client, task: dict, **members: object) -> dict:
    response = client.put(f"{TASKS}/{task['id']}", json=members)
    assert response.status_code == 200, response.text
    return response.json()


def read(client: httpx.Client, task: dict) -> dict:
    return client.get(f"{TASKS}/{task['id']}").json()


def test_a_new_task_has_the_defaults_of_the_contract(client: httpx.Client):
    task = new_task(client)

    assert task == {
        "id": task["id"],
        "title": "Water the plants",
        "description": None,
        "status": "active",
        "priority": "medium",
        "due_date": None,
        "created_at": task["created_at"],
        "updated_at": task["created_at"],
        "completed_at": None,
        "tags": [],
        "recurrence_pattern": None,
    }
    assert read(client, task) == task


def test_a_new_task_keeps_all_that_it_was_given(client: httpx.Client):
    task = new_task(client, **EVERYTHING)

    assert task == {
        "id": task["id"],
        "title": "Send the weekly report",
        "description": "Figures first, then the outlook.",
        "status": "active",
        "priority": "high",
        "due_date": "2026-03-13T15:00:00.500000Z",
        "created_at": task["created_at"],
        "updated_at": task["created_at"],
        "completed_at": None,
        "tags": [
            {"id": task["tags"][0]["id"], "name": "work", "color": color_of("work")},
            {"id": task["tags"][1]["id"], "name": "important", "color": color_of("important")},
        ],
        "recurrence_pattern": {
            "id": task["recurrence_pattern"]["id"],
            "pattern_type": "weekly",
            "interval": 2,
            "end_date": "2026-12-31T23:59:59.000000Z",
            "occurrences_count": 9,
        },
    }
    assert read(client, task) == task
    assert client.get(TASKS).json()["tasks"] == [task]


def test_members_that_mean_nothing_when_null_may_be_null(client: httpx.Client):
    task = new_task(client, description=None, due_date=None, recurrence_pattern=None, status="completed", unknown=1)

    assert (task["description"], task["due_date"], task["recurrence_pattern"]) == (None, None, None)
    assert task["status"] == "active"


@once
@pytest.mark.parametrize(("member", "values"), WRONG.items())
def test_a_task_that_breaks_the_schema_is_422_and_changes_nothing(
    client: httpx.Client, member: str, values: list[object]
):
    task = new_task(client, **EVERYTHING)
    bodies = [{"title": "x", member: value} for value in values]

    created = [client.post(TASKS, json=body) for body in bodies]
    updated = [client.put(f"{TASKS}/{task['id']}", json=body) for body in bodies]

    for response in (*created, *updated):
        assert (response.status_code, response.json()["error_code"]) == (422, "BAD_INPUT")
        assert member in response.json()["detail"]
    assert client.get(TASKS).json()["tasks"] == [task]


@once
@pytest.mark.parametrize("status", [None, "", "pending", "Completed", True])
def test_a_status_that_the_contract_does_not_know_is_422(client: httpx.Client, status: object):
    task = new_task(client)

    response = client.put(f"{TASKS}/{task['id']}", json={"status": status})

    assert response.status_code == 422
    assert read(client, task) == task


def test_only_the_members_sent_are_changed(client: httpx.Client):
    task = new_task(client, **EVERYTHING)

    after = change(client, task, title="Send the monthly report", unknown=1, id="x", created_at="x")

    assert after["updated_at"] > task["updated_at"]
    assert after == {**task, "title": "Send the monthly report", "updated_at": after["updated_at"]}
    assert read(client, task) == after


def test_an_empty_body_changes_nothing(client: httpx.Client):
    task = new_task(client, **EVERYTHING)

    assert change(client, task) == task


def test_what_can_be_missing_is_removed_by_null(client: httpx.Client):
    task = new_task(client, **EVERYTHING)

    after = change(client, task, description=None, due_date=None, recurrence_pattern=None, tags=[])

    assert (after["description"], after["due_date"], after["recurrence_pattern"], after["tags"]) == (
        None,
        None,
        None,
        [],
    )


def test_tags_come_in_the_order_of_their_naming_trimmed_and_once_each(client: httpx.Client):
    task = new_task(client, tags=["b", " a ", "b ", "c"])

    reordered = change(client, task, tags=["c", "\u2003d", "b"])

    assert [tag["name"] for tag in task["tags"]] == ["b", "a", "c"]
    assert [tag["name"] for tag in reordered["tags"]] == ["c", "d", "b"]
    assert reordered["tags"][0] == task["tags"][2]
    assert [tag["name"] for tag in client.get("/v1/tags").json()["tags"]] == ["a", "b", "c", "d"]


def test_tags_that_are_there_already_are_taken_as_they_are(client: httpx.Client, stranger: httpx.Client):
    stranger.post("/v1/tags", json={"name": "work", "color": "#000000"})
    tag = client.post("/v1/tags", json={"name": "work", "color": "#ABCDEF"}).json()

    task = new_task(client, tags=["work"])

    assert task["tags"] == [{"id": tag["id"], "name": "work", "color": "#ABCDEF"}]


def test_a_tag_is_named_alone_or_as_answers_show_it(client: httpx.Client):
    (work,) = new_task(client, tags=["work"])["tags"]

    task = new_task(client, tags=[work, "home", {"name": " urgent ", "color": "#000000", "unknown": []}])
    after = change(client, task, tags=[{"name": "home"}, {**work, "id": "of no importance", "color": 7}])

    assert [tag["name"] for tag in task["tags"]] == ["work", "home", "urgent"]
    assert task["tags"][0] == work
    assert task["tags"][2]["color"] == color_of("urgent")
    assert after["tags"] == [task["tags"][1], work]


@once
@pytest.mark.parametrize(
    ("tag", "detail"),
    [
        (7, "tags.1 must be a string or an object"),
        ("x" * 51, "tags.1 must have at most 50 characters"),
        ({}, "tags.1.name is required"),
        ({"name": None}, "tags.1.name must be a string"),
        ({"name": "x" * 51}, "tags.1.name must have at most 50 characters"),
    ],
)
def test_one_mistake_in_a_tag_is_one_message_at_its_place(client: httpx.Client, tag: object, detail: str):
    response = client.post(TASKS, json={"title": "Water the plants", "tags": ["work", tag]})

    assert (response.status_code, response.json()["detail"]) == (422, f"The input is not valid: {detail}.")


def test_many_who_name_the_same_new_tags_at_once_make_each_once(client: httpx.Client):
    wanted = [f"tag {n}" for n in range(20)]

    with ThreadPoolExecutor(10) as threads:
        orders = [wanted, wanted[::-1]] * 5
        tasks = list(threads.map(lambda names: new_task(client, tags=names), orders))

    assert [[tag["name"] for tag in task["tags"]] for task in tasks] == orders
    assert client.get("/v1/tags").json()["total"] == 20


def test_a_recurrence_is_replaced_whole_and_keeps_its_id(client: httpx.Client):
    task = new_task(client, **EVERYTHING)

    after = change(client, task, recurrence_pattern={"pattern_type": "monthly"})["recurrence_pattern"]

    assert after == {
        "id": task["recurrence_pattern"]["id"],
        "pattern_type": "monthly",
        "interval": 1,
        "end_date": None,
        "occurrences_count": None,
    }


def test_a_task_is_completed_once_and_reopened(client: httpx.Client):
    task = new_task(client)

    completed = change(client, task, status="completed")
    again = change(client, task, status="completed")
    reopened = change(client, task, status="active")

    assert completed["status"] == again["status"] == "completed"
    assert completed["completed_at"] == again["completed_at"] == completed["updated_at"]
    assert (reopened["status"], reopened["completed_at"]) == ("active", None)


def test_toggling_answers_exactly_three_members(client: httpx.Client):
    task = new_task(client)

    completed = client.patch(f"{TASKS}/{task['id']}/toggle-status")
    reopened = client.patch(f"{TASKS}/{task['id']}/toggle-status")

    instant = completed.json()["completed_at"]
    assert list(completed.json().items()) == [("id", task["id"]), ("status", "completed"), ("completed_at", instant)]
    assert list(reopened.json().items()) == [("id", task["id"]), ("status", "active"), ("completed_at", None)]
    assert read(client, task)["updated_at"] > instant


@pytest.mark.parametrize("status", ["pending", "in_progress", "deferred"])
def test_active_leaves_what_is_not_completed_as_it_is(client: httpx.Client, status: str):
    todo = client.post(TODOS, json={"title": "Water the plants", "status": status}).json()
    (task,) = client.get(TASKS).json()["tasks"]

    after = change(client, task, status="active")

    assert task["status"] == after["status"] == "active"
    assert client.get(f"{TODOS}/{todo['id']}").json()["status"] == status


def test_a_reopened_task_is_pending_in_other_words(client: httpx.Client):
    todo = client.post(TODOS, json={"title": "Water the plants", "status": "completed"}).json()
    (task,) = client.get(TASKS).json()["tasks"]

    change(client, task, status="active")

    assert task["status"] == "completed"
    assert client.get(f"{TODOS}/{todo['id']}").json()["status"] == "pending"


def test_a_due_day_of_another_contract_is_the_end_of_that_day(client: httpx.Client):
    client.post(TODOS, json={"title": "Water the plants", "due_date": "2026-12-24"})

    (task,) = client.get(TASKS).json()["tasks"]

    assert task["due_date"] == "2026-12-24T23:59:59.000000Z"


def test_tags_and_recurrence_survive_a_change_made_in_another_contract(client: httpx.Client):
    task = new_task(client, **EVERYTHING)
    (todo,) = client.get(TODOS).json()

    client.put(f"{TODOS}/{todo['id']}", json={"title": "Renamed", "status": "in_progress"})

    after = read(client, task)
    assert after == {**task, "title": "Renamed", "updated_at": after["updated_at"]}


@pytest.mark.parametrize(
    "due_date", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "2026-03-13T15:00:00.1234567Z"]
)
def test_any_instant_can_be_a_due_date(client: httpx.Client, due_date: str):
    task = new_task(client, due_date=due_date)

    assert task["due_date"][:19] == due_date[:19]
    assert read(client, task) == task


def test_a_deleted_task_is_gone_and_its_tags_stay(client: httpx.Client):
    task = new_task(client, **EVERYTHING)

    response = client.delete(f"{TASKS}/{task['id']}")

    assert (response.status_code, response.content) == (204, b"")
    assert client.get(f"{TASKS}/{task['id']}").status_code == 404
    assert client.delete(f"{TASKS}/{task['id']}").status_code == 404
    assert client.get("/v1/tags").json()["total"] == 2


def test_a_task_that_is_changed_and_deleted_at_once_never_gives_a_500(person: Person):
    for _ in range(5):
        task = new_task(person.client, **EVERYTHING)
        path = f"{TASKS}/{task['id']}"

        with ThreadPoolExecutor(6) as threads:
            requests = [threads.submit(person.client.put, path, json={"status": "completed", "tags": ["x", "y"]})]
            requests += [threads.submit(person.client.patch, f"{path}/toggle-status") for _ in range(2)]
            requests += [threads.submit(person.client.delete, path) for _ in range(2)]
            statuses = sorted(request.result().status_code for request in requests)

        assert set(statuses) <= {200, 204, 404}
        assert statuses.count(204) == 1
