from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.sql.engine import autocommit, transaction
from db.sql.ownership import add, find_owned, read_owned
from db.tasks.categories import Category
from db.tasks.tags import Tag, task_tags
from db.tasks.tasks import NEWEST_TASKS_FIRST, PRIORITIES, STATUSES, Task, add_task, new_task

MORNING = datetime(2026, 3, 2, 8, 15, tzinfo=UTC)
NOON = MORNING + timedelta(hours=4)
NIGHT = MORNING + timedelta(hours=15)
LAST_SECOND = datetime(2026, 3, 2, 23, 59, 59, tzinfo=UTC)

others = st.sampled_from([status for status in STATUSES if status != "completed"])


def test_a_completed_task_knows_when_it_was_completed():
    task = plain_task()

    task.complete(NOON)

    assert (task.status, task.completed_at) == ("completed", NOON)


def test_completing_again_keeps_the_first_instant():
    task = plain_task()

    task.complete(NOON)
    task.complete(NIGHT)
    task.change({"status": "completed"}, at=NIGHT)

    assert task.completed_at == NOON


@pytest.mark.parametrize("status", [status for status in STATUSES if status != "completed"])
def test_a_reopened_task_forgets_when_it_was_completed(status: str):
    task = plain_task()

    task.complete(NOON)
    task.move_to(status, at=NIGHT)

    assert (task.status, task.completed_at) == (status, None)


@given(st.lists(st.sampled_from(STATUSES), max_size=12))
def test_a_task_has_an_instant_of_completion_exactly_while_it_is_completed(statuses: list[str]):
    task = plain_task()

    for hour, status in enumerate(statuses):
        task.move_to(status, at=MORNING + timedelta(hours=hour))

        assert task.status == status
        assert (task.completed_at is not None) == (status == "completed")


@given(st.lists(others, min_size=1, max_size=4), st.integers(1, 4))
def test_only_leaving_the_status_starts_a_new_completion(others: list[str], times: int):
    task = plain_task()

    task.complete(MORNING)
    for status in others:
        task.move_to(status, at=NOON)
    for hour in range(times):
        task.complete(NIGHT + timedelta(hours=hour))

    assert task.completed_at == NIGHT


@pytest.mark.parametrize(
    ("status", "said", "expected"),
    [
        ("pending", None, "completed"),
        ("deferred", None, "completed"),
        ("completed", None, "pending"),
        ("in_progress", True, "completed"),
        ("completed", True, "completed"),
        ("completed", False, "pending"),
        ("deferred", False, "deferred"),
        ("in_progress", False, "in_progress"),
    ],
)
def test_a_contract_with_two_statuses_leaves_alone_what_it_cannot_say(status: str, said: bool | None, expected: str):
    task = plain_task()
    task.move_to(status, at=NOON)

    task.mark(completed=said, at=NIGHT)

    assert task.status == expected
    assert (task.completed_at is not None) == (expected == "completed")


def test_changing_nothing_changes_nothing():
    task = plain_task()

    task.change({}, at=NIGHT)

    assert task.updated_at == MORNING


@pytest.mark.parametrize("name", ["title", "description", "priority", "due_at", "due_on", "words", "status"])
def test_saying_what_already_is_changes_nothing(name: str):
    task = plain_task()
    task.due_at = NOON
    shown = {"due_on": NOON.date(), "words": ""}

    task.change({name: shown.get(name, getattr(task, name, None))}, at=NIGHT)

    assert (task.due_at, task.updated_at) == (NOON, MORNING)


def test_recurrence_and_tags_that_are_said_again_change_nothing(owner: int):
    task_id = add_recurring(owner, due_at=NOON, interval=2)
    same = {"tags": ["weekly", "garden"], "recurrence": {"pattern_type": "daily", "interval": 2, "end_at": None}}

    with transaction() as session:
        find_owned(session, Task, task_id, owner=owner).change(same, at=NIGHT)

    assert [task.updated_at for task in all_of(owner)] == [MORNING]


@pytest.mark.parametrize(
    "changes",
    [
        {"tags": ["garden", "weekly"]},
        {"tags": []},
        {"recurrence": None},
        {"recurrence": {"pattern_type": "daily", "interval": 3}},
        {"completed": True},
    ],
)
def test_any_other_word_about_a_task_is_a_change_of_it(owner: int, changes: Mapping[str, Any]):
    task_id = add_recurring(owner, due_at=NOON, interval=2)

    with transaction() as session:
        find_owned(session, Task, task_id, owner=owner).change(changes, at=NIGHT)

    assert next(task.updated_at for task in all_of(owner) if task.id == task_id) == NIGHT


@pytest.mark.parametrize("kept", [None, ""])
@pytest.mark.parametrize("sent", [None, ""])
def test_no_words_leave_no_description_as_it_is(kept: str | None, sent: str | None):
    task = plain_task()
    task.description = kept

    task.change({"words": sent}, at=NIGHT)

    assert (task.description, task.updated_at) == (kept, MORNING)


def test_no_words_take_a_description_away():
    task = plain_task()
    task.description = "All of them"

    task.change({"words": ""}, at=NIGHT)

    assert task.description is None


def test_the_day_on_which_a_task_is_due_leaves_its_instant_alone():
    task = plain_task()
    task.due_at = NOON

    task.change({"due_on": NOON.date(), "title": "Later"}, at=NIGHT)

    assert task.due_at == NOON


def test_changing_something_is_remembered():
    task = plain_task()

    task.change({"title": "Water the garden", "due_at": None}, at=NIGHT)

    assert (task.title, task.due_at, task.updated_at) == ("Water the garden", None, NIGHT)


@pytest.mark.parametrize(("day", "due_at"), [(MORNING.date(), LAST_SECOND), (None, None)])
def test_a_task_due_on_a_day_is_due_at_its_end(owner: int, day: date | None, due_at: datetime | None):
    changed = plain_task()
    changed.due_at = NOON - timedelta(days=1)

    changed.change({"due_on": day}, at=NIGHT)
    with autocommit() as connection:
        added = add_task(connection, owner=owner, values={"title": "Fast", "due_on": day}, at=NOON)

    assert (changed.due_at, changed.updated_at) == (due_at, NIGHT)
    assert added.due_at == due_at


@pytest.mark.parametrize(
    "broken",
    [
        {"status": "completed"},
        {"completed_at": NOON},
        {"status": "deferred", "completed_at": NOON},
        {"status": "completed", "completed_at": None},
    ],
)
def test_the_database_keeps_status_and_instant_of_completion_together(owner: int, broken: Mapping[str, Any]):
    with pytest.raises(IntegrityError, match="completed_has_instant"), transaction() as session:
        session.add(Task(account_id=owner, title="Broken", created_at=NOON, updated_at=NOON, **broken))


@pytest.mark.parametrize(("column", "rank"), [("status", 0), ("status", 5), ("priority", 0), ("priority", 4)])
def test_the_database_knows_no_other_statuses_and_priorities(owner: int, column: str, rank: int):
    with autocommit() as connection:
        task = add_task(connection, owner=owner, values={"title": "Whole"}, at=NOON)

    with autocommit() as connection, pytest.raises(IntegrityError, match=f"{column}_known"):
        connection.exec_driver_sql(f"UPDATE tasks SET {column} = {rank} WHERE id = {task.id}")


def test_a_deleted_category_leaves_its_tasks_without_one(owner: int):
    task_id = add_recurring(owner, due_at=MORNING)

    with transaction() as session:
        task = find_owned(session, Task, task_id, owner=owner)
        assert task.category_id is not None
        session.delete(find_owned(session, Category, task.category_id, owner=owner))

    assert [task.category_id for task in all_of(owner)] == [None]


def test_a_deleted_tag_comes_off_its_tasks(owner: int):
    task_id = add_recurring(owner, due_at=MORNING)

    with transaction() as session:
        session.execute(delete(Tag).where(Tag.account_id == owner, Tag.name == "garden"))

        assert tags_of(session, task_id) == ["weekly"]


@pytest.mark.parametrize("model", [Tag, Category])
def test_a_name_is_unique_within_its_account_alone(new_owner: Callable[[], int], model: type[Tag | Category]):
    first, second = new_owner(), new_owner()
    values = {"name": "garden", "color": "#2e7d32"}
    with transaction() as session:
        add(session, model, values, owner=first, at=NOON)
        add(session, model, values, owner=second, at=NOON)

    with pytest.raises(IntegrityError), transaction() as session:
        add(session, model, values, owner=first, at=NOON)


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("priority", PRIORITIES)
def test_a_task_added_by_one_statement_is_one_like_all_others(owner: int, status: str, priority: str):
    values = {"title": "Fast", "status": status, "priority": priority, "due_at": NIGHT}

    with autocommit() as connection:
        row = add_task(connection, owner=owner, values=values, at=NOON)
        assert read_owned(connection, Task, row.id, owner=owner) == row

    with transaction() as session:
        task = find_owned(session, Task, row.id, owner=owner)
        assert [getattr(task, name) for name in row._fields] == list(row)
        assert (task.status, task.priority, task.due_at) == (status, priority, NIGHT)
        assert task.completed_at == (NOON if status == "completed" else None)


def test_a_task_added_by_one_statement_has_the_defaults_of_the_model(owner: int):
    with autocommit() as connection:
        fast = add_task(connection, owner=owner, values={"title": "Fast"}, at=NOON)
    with transaction() as session:
        slow = add(session, Task, {"title": "Slow"}, owner=owner, at=NOON)

    same = [name for name in fast._fields if name not in ("id", "uuid", "title")]
    assert [getattr(fast, name) for name in same] == [getattr(slow, name) for name in same]


def plain_task() -> Task:
    return Task(title="Water the plants", status="pending", created_at=MORNING, updated_at=MORNING)


def add_recurring(owner: int, *, due_at: datetime | None, pattern_type: str = "daily", **pattern: Any) -> int:
    with transaction() as session:
        category = add(session, Category, {"name": "Home"}, owner=owner, at=MORNING)
        values = {
            "title": "Water the plants",
            "description": "Those on the balcony, too.",
            "priority": "high",
            "due_at": due_at,
            "category_id": category.id,
            "tags": ["weekly", "garden"],
            "recurrence": {"pattern_type": pattern_type, **pattern},
        }
        return new_task(session, values, owner=owner, at=MORNING).id


def complete(owner: int, task_id: int, at: datetime) -> None:
    with transaction() as session:
        find_owned(session, Task, task_id, owner=owner).complete(at)


def tags_of(session: Session, task_id: int) -> list[str]:
    tagged = select(Tag.name).join(task_tags).where(task_tags.c.task_id == task_id).order_by(task_tags.c.position)
    return list(session.scalars(tagged))


def all_of(owner: int) -> list[Any]:
    return [task for page in NEWEST_TASKS_FIRST.pages(owner=owner) for task in page]
