"""Recurring tasks: what follows a completed one, and that it follows once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.sql.engine import autocommit, transaction
from db.sql.ownership import find_owned
from db.tasks.recurrence import RecurrencePattern
from db.tasks.tasks import Task
from tests.db.tasks.test_tasks import MORNING, NIGHT, NOON, add_recurring, all_of, complete, tags_of

CARRIED = ("account_id", "title", "description", "priority", "category_id")


def test_completing_a_recurring_task_makes_the_next_one_and_carries_over_what_it_is(owner: int):
    task_id = add_recurring(owner, due_at=datetime(2026, 1, 31, 23, 59, 59, tzinfo=UTC), pattern_type="monthly")
    with transaction() as session:
        find_owned(session, Task, task_id, owner=owner).complete(NOON)

    with transaction() as session:
        done = find_owned(session, Task, task_id, owner=owner)
        (following,) = [task for task in tasks_of(session, owner) if task.id != task_id]
        assert [getattr(following, name) for name in CARRIED] == [getattr(done, name) for name in CARRIED]
        assert tags_of(session, following.id) == tags_of(session, done.id) == ["weekly", "garden"]
        assert (following.status, following.completed_at, following.repeated_at) == ("pending", None, None)
        assert following.due_at == datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC)
        assert (following.created_at, following.updated_at) == (NOON, NOON)
        assert following.uuid != done.uuid
        assert done.recurrence is not None
        assert following.recurrence is not None
        assert (done.recurrence.occurrence_number, following.recurrence.occurrence_number) == (1, 2)


def test_what_is_said_together_with_completed_is_carried_over_too(owner: int):
    task_id = add_recurring(owner, due_at=MORNING)

    with transaction() as session:
        values = {"status": "completed", "priority": "low", "due_at": NIGHT, "title": "Later"}
        find_owned(session, Task, task_id, owner=owner).change(values, at=NOON)

    with transaction() as session:
        (following,) = [task for task in tasks_of(session, owner) if task.id != task_id]
        assert (following.priority, following.title) == ("low", "Later")
        assert following.due_at == NIGHT + timedelta(days=1)


@pytest.mark.parametrize(
    ("moved_to", "expected"),
    [
        ({"due_at": datetime(2026, 2, 28, 9, tzinfo=UTC)}, "2026-03-31T09:00:00"),
        ({"due_on": date(2026, 2, 28)}, "2026-03-31T15:00:00"),
        ({"due_on": date(2026, 2, 27)}, "2026-03-27T23:59:59"),
        ({"due_at": datetime(2026, 4, 30, 9, tzinfo=UTC)}, "2026-05-30T09:00:00"),
        ({"recurrence": None}, None),
    ],
)
def test_a_recurrence_keeps_its_day_until_the_task_is_due_on_another(
    owner: int, moved_to: dict[str, Any], expected: str | None
):
    first = add_recurring(owner, due_at=datetime(2026, 1, 31, 15, tzinfo=UTC), pattern_type="monthly")
    complete(owner, first, NOON)
    (second,) = [task.id for task in all_of(owner) if task.id != first]

    with transaction() as session:
        find_owned(session, Task, second, owner=owner).change({**moved_to, "completed": True}, at=NIGHT)

    due = [task.due_at for task in all_of(owner) if task.id not in {first, second}]
    assert due == ([] if expected is None else [datetime.fromisoformat(f"{expected}+00:00")])


def test_a_task_without_a_due_date_goes_on_from_the_day_of_its_completion(owner: int):
    first = add_recurring(owner, due_at=None, pattern_type="monthly")

    complete(owner, first, datetime(2026, 1, 31, 15, tzinfo=UTC))
    (second,) = [task.id for task in all_of(owner) if task.id != first]
    complete(owner, second, NIGHT)

    due = [task.due_at for task in all_of(owner) if task.id not in {first, second}]
    assert due == [datetime(2026, 3, 31, 15, tzinfo=UTC)]


def test_a_task_without_a_due_date_is_due_again_after_its_completion(owner: int):
    task_id = add_recurring(owner, due_at=None)

    complete(owner, task_id, NOON)

    assert [task.due_at for task in all_of(owner) if task.id != task_id] == [NOON + timedelta(days=1)]


def test_toggling_makes_no_second_copy(owner: int):
    task_id = add_recurring(owner, due_at=MORNING)

    for hour in range(3):
        complete(owner, task_id, NOON + timedelta(hours=hour))
        with transaction() as session:
            find_owned(session, Task, task_id, owner=owner).move_to("pending", at=NIGHT)
    complete(owner, task_id, NIGHT)

    assert len(all_of(owner)) == 2
    assert next(task.repeated_at for task in all_of(owner) if task.id == task_id) == NOON


def test_the_copy_stays_when_its_original_is_deleted(owner: int):
    task_id = add_recurring(owner, due_at=MORNING)
    complete(owner, task_id, NOON)

    with transaction() as session:
        session.delete(find_owned(session, Task, task_id, owner=owner))

    with transaction() as session:
        (following,) = tasks_of(session, owner)
        assert following.recurrence is not None
        assert tags_of(session, following.id) == ["weekly", "garden"]


def test_the_last_occurrence_is_followed_by_none(owner: int):
    task_id = add_recurring(owner, due_at=MORNING, occurrences_count=3)

    for _ in range(5):
        for task in all_of(owner):
            complete(owner, task.id, NOON)

    assert len(all_of(owner)) == 3
    assert task_id in {task.id for task in all_of(owner)}


def test_no_occurrence_is_due_after_the_end(owner: int):
    add_recurring(owner, due_at=MORNING, end_at=MORNING + timedelta(days=2))

    for _ in range(5):
        for task in all_of(owner):
            complete(owner, task.id, NOON)

    due = sorted(task.due_at for task in all_of(owner))
    assert due == [MORNING, MORNING + timedelta(days=1), MORNING + timedelta(days=2)]


def test_a_task_loses_its_pattern_and_keeps_its_copy(owner: int):
    task_id = add_recurring(owner, due_at=MORNING)

    with transaction() as session:
        find_owned(session, Task, task_id, owner=owner).recurrence = None
    complete(owner, task_id, NOON)

    assert len(all_of(owner)) == 1
    with autocommit() as connection:
        patterns = select(func.count()).select_from(RecurrencePattern).where(RecurrencePattern.task_id == task_id)
        assert connection.execute(patterns).scalar() == 0


def test_fifty_who_complete_a_task_at_once_make_one_copy(owner: int):
    task_id = add_recurring(owner, due_at=MORNING)

    with ThreadPoolExecutor(50) as threads:
        list(threads.map(lambda minute: complete(owner, task_id, NOON + timedelta(minutes=minute)), range(50)))

    tasks = all_of(owner)
    assert len(tasks) == 2
    done = next(task for task in tasks if task.id == task_id)
    assert done.completed_at == done.repeated_at


def tasks_of(session: Session, owner: int) -> list[Task]:
    return list(session.scalars(select(Task).where(Task.account_id == owner)))
