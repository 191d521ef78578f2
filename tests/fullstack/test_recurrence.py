"""What the next occurrence of a task is, over HTTP; the rule itself is tested in tests/db."""

import httpx
import pytest

from tests.fullstack.test_tasks import EVERYTHING, TASKS, TODOS, change, new_task, read


def active(client: httpx.Client) -> list[dict]:
    return client.get(TASKS, params={"status": "active", "sort_by": "due_date", "sort_order": "asc"}).json()["tasks"]


def complete(client: httpx.Client, task: dict) -> None:
    change(client, task, status="completed")


def due_dates(client: httpx.Client, pattern: dict, due: str, times: int) -> list[str]:
    """Complete a new task and what comes after it; tell when each of them is due."""
    task, dates = new_task(client, due_date=due, recurrence_pattern=pattern), []
    for _ in range(times):
        complete(client, task)
        following = active(client)
        if not following:
            break
        (task,) = following
        dates.append(task["due_date"][:10])
    return dates


def test_the_next_occurrence_carries_everything_over(client: httpx.Client):
    task = new_task(client, **EVERYTHING)

    complete(client, task)

    (following,) = active(client)
    assert following == {
        **task,
        "id": following["id"],
        "due_date": "2026-03-27T15:00:00.500000Z",
        "created_at": following["created_at"],
        "updated_at": following["created_at"],
        "recurrence_pattern": {**task["recurrence_pattern"], "id": following["recurrence_pattern"]["id"]},
    }
    assert following["id"] != task["id"]
    assert following["recurrence_pattern"]["id"] != task["recurrence_pattern"]["id"]


def test_a_task_that_is_completed_as_it_gets_its_pattern_comes_again(client: httpx.Client):
    task = new_task(client, due_date="2026-01-31T00:00:00Z")

    changed = change(client, task, status="completed", recurrence_pattern={"pattern_type": "daily"})

    (following,) = active(client)
    assert changed["status"] == "completed"
    assert following["due_date"][:10] == "2026-02-01"


def test_what_is_said_together_with_completed_is_carried_over(client: httpx.Client):
    task = new_task(client, due_date="2026-01-01T00:00:00Z", tags=["old"])
    changes = {"status": "completed", "title": "New", "tags": ["new", "newer"], "due_date": "2026-02-01T00:00:00Z"}

    change(client, task, **changes, recurrence_pattern={"pattern_type": "daily", "interval": 3})

    (following,) = active(client)
    assert (following["title"], following["due_date"]) == ("New", "2026-02-04T00:00:00.000000Z")
    assert [tag["name"] for tag in following["tags"]] == ["new", "newer"]


@pytest.mark.parametrize(
    ("pattern", "due", "expected"),
    [
        ({"pattern_type": "daily"}, "2026-12-31", ["2027-01-01", "2027-01-02"]),
        ({"pattern_type": "weekly", "interval": 2}, "2026-12-28", ["2027-01-11", "2027-01-25"]),
        ({"pattern_type": "monthly"}, "2028-01-31", ["2028-02-29", "2028-03-31"]),
        ({"pattern_type": "monthly", "interval": 3}, "2026-03-31", ["2026-06-30", "2026-09-30"]),
        ({"pattern_type": "yearly"}, "2028-02-29", ["2029-02-28", "2030-02-28"]),
        ({"pattern_type": "yearly", "interval": 4}, "2028-02-29", ["2032-02-29", "2036-02-29"]),
        ({"pattern_type": "daily", "occurrences_count": 2}, "2026-01-01", ["2026-01-02"]),
        ({"pattern_type": "daily", "occurrences_count": 1}, "2026-01-01", []),
        ({"pattern_type": "daily", "end_date": "2026-01-02T12:00:00Z"}, "2026-01-01", ["2026-01-02"]),
        ({"pattern_type": "daily", "end_date": "2026-01-02T11:59:59Z"}, "2026-01-01", []),
        ({"pattern_type": "yearly", "interval": 1000}, "9500-01-01", []),
    ],
)
def test_a_task_comes_again_as_its_pattern_says(client: httpx.Client, pattern: dict, due: str, expected: list[str]):
    dates = due_dates(client, pattern, f"{due}T12:00:00Z", times=2)

    assert dates == expected


def test_a_task_without_due_date_comes_again_after_its_completion(client: httpx.Client):
    task = new_task(client, recurrence_pattern={"pattern_type": "weekly"})

    complete(client, task)

    (following,) = active(client)
    assert following["due_date"] is not None
    assert following["due_date"] > read(client, task)["completed_at"]


def test_toggling_back_and_forth_makes_one_next_occurrence(client: httpx.Client):
    task = new_task(client, recurrence_pattern={"pattern_type": "daily"})

    for _ in range(5):
        client.patch(f"{TASKS}/{task['id']}/toggle-status")

    assert client.get(TASKS).json()["total"] == 2


def test_a_task_that_repeats_no_more_has_no_next_occurrence(client: httpx.Client):
    task = new_task(client, recurrence_pattern={"pattern_type": "daily"})

    change(client, task, status="completed", recurrence_pattern=None)

    assert client.get(TASKS).json()["total"] == 1


def test_saying_completed_again_completes_nothing(client: httpx.Client):
    task = new_task(client)
    complete(client, task)

    change(client, task, status="completed", recurrence_pattern={"pattern_type": "daily"})

    assert client.get(TASKS).json()["total"] == 1


def test_completing_in_another_contract_makes_the_next_occurrence_too(client: httpx.Client):
    new_task(client, tags=["home"], recurrence_pattern={"pattern_type": "daily"})
    (todo,) = client.get(TODOS).json()

    client.put(f"{TODOS}/{todo['id']}", json={"status": "completed"})

    (following,) = active(client)
    assert [tag["name"] for tag in following["tags"]] == ["home"]
