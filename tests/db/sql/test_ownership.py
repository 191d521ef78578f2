from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from db.errors import NotFound, NotYours
from db.personal_anchor import (
    LATEST_ACHIEVEMENTS_FIRST,
    NEWEST_FOCUS_ITEMS_FIRST,
    PLAN_STATUSES,
    SOONEST_PLANS_FIRST,
    Achievement,
    FocusItem,
    FuturePlan,
)
from db.sql.engine import autocommit, transaction
from db.sql.listings import Listing
from db.sql.ownership import Owned, add, find_owned, read_owned
from db.tasks.tasks import NEWEST_TASKS_FIRST, Task

MORNING = datetime(2026, 3, 2, 8, tzinfo=UTC)
MODELS = {
    Task: {"title": "Do"},
    Achievement: {"title": "Done"},
    FocusItem: {"title": "Doing"},
    FuturePlan: {"description": "To do"},
}
"""Each with the least that a thing of it needs."""

of_each_model = pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)


@pytest.mark.parametrize(
    ("listing", "model"),
    [(NEWEST_TASKS_FIRST, Task), (NEWEST_FOCUS_ITEMS_FIRST, FocusItem)],
    ids=["tasks", "focus items"],
)
def test_the_newest_comes_first_and_of_equals_the_last_made(owner: int, listing: Listing, model: type[Owned]):
    made = [add_one(model, owner, hour=hour) for hour in (1, 3, 2, 3)]

    first, second, third, fourth = made
    assert ids_of(listing, owner) == [fourth, second, third, first]


def test_the_latest_achievements_come_first_and_those_without_a_day_last(owner: int):
    days = [date(2025, 1, 1), None, date(2026, 1, 1), date(2025, 1, 1), None, date(2025, 1, 1)]
    hours = [1, 1, 1, 2, 2, 2]
    a, b, c, d, e, f = [
        add_one(Achievement, owner, hour=hour, date_achieved=day) for day, hour in zip(days, hours, strict=True)
    ]

    assert ids_of(LATEST_ACHIEVEMENTS_FIRST, owner) == [c, f, d, a, e, b]


def test_the_soonest_plans_come_first_and_those_without_a_day_last(owner: int):
    days = [date(2027, 1, 1), None, date(2026, 1, 1), date(2027, 1, 1), None, date(2027, 1, 1)]
    hours = [1, 1, 1, 2, 2, 2]
    a, b, c, d, e, f = [
        add_one(FuturePlan, owner, hour=hour, target_date=day) for day, hour in zip(days, hours, strict=True)
    ]

    assert ids_of(SOONEST_PLANS_FIRST, owner) == [c, f, d, a, e, b]


def test_a_page_is_a_part_of_the_whole_list(owner: int):
    made = [add_one(Task, owner, hour=hour) for hour in range(7)][::-1]

    pages = [ids_of(NEWEST_TASKS_FIRST, owner, limit=3, offset=offset) for offset in (0, 3, 6, 7, 2**31 - 1)]
    without_limit = ids_of(NEWEST_TASKS_FIRST, owner, offset=5)

    assert pages == [made[:3], made[3:6], made[6:], [], []]
    assert without_limit == made[5:]


@pytest.mark.parametrize(
    ("listing", "model"),
    [
        (NEWEST_TASKS_FIRST, Task),
        (NEWEST_FOCUS_ITEMS_FIRST, FocusItem),
        (LATEST_ACHIEVEMENTS_FIRST, Achievement),
        (SOONEST_PLANS_FIRST, FuturePlan),
    ],
    ids=["tasks", "focus items", "achievements", "plans"],
)
def test_a_list_shows_what_is_ones_own(new_owner: Callable[[], int], listing: Listing, model: type[Owned]):
    owner, other = new_owner(), new_owner()
    mine, _ = add_one(model, owner), add_one(model, other)

    assert ids_of(listing, owner) == [mine]


@of_each_model
def test_what_was_added_is_read_as_it_was_written(owner: int, model: type[Owned]):
    with transaction() as session:
        added = add(session, model, MODELS[model], owner=owner, at=MORNING)

    with autocommit() as connection:
        row = read_owned(connection, model, added.id, owner=owner)
    assert row._asdict() == {name: getattr(added, name) for name in row._fields}


@of_each_model
def test_a_found_thing_is_changed_and_the_change_is_kept(owner: int, model: type[Any]):
    thing_id = add_one(model, owner)
    evening = MORNING + timedelta(hours=12)

    with transaction() as session:
        find_owned(session, model, thing_id, owner=owner).change({"description": "Changed"}, at=evening)

    with autocommit() as connection:
        row = read_owned(connection, model, thing_id, owner=owner)
    assert (row.description, row.created_at, row.updated_at) == ("Changed", MORNING, evening)


@of_each_model
def test_changing_no_member_is_no_change(owner: int, model: type[Any]):
    thing_id = add_one(model, owner)

    with transaction() as session:
        find_owned(session, model, thing_id, owner=owner).change({}, at=MORNING + timedelta(hours=12))

    with autocommit() as connection:
        assert read_owned(connection, model, thing_id, owner=owner).updated_at == MORNING


@of_each_model
def test_what_is_not_there_is_not_found(owner: int, model: type[Owned]):
    thing_id = add_one(model, owner)
    with transaction() as session:
        session.delete(find_owned(session, model, thing_id, owner=owner))

    for missing in (thing_id, 2**63 - 1):
        with autocommit() as connection, pytest.raises(NotFound) as refusal:
            read_owned(connection, model, missing, owner=owner)
        with transaction() as session, pytest.raises(NotFound):
            find_owned(session, model, missing, owner=owner)

    assert refusal.value.code == f"{model.called.replace(' ', '_')}_not_found"


@of_each_model
def test_what_is_somebody_elses_is_not_yours(new_owner: Callable[[], int], model: type[Owned]):
    thing_id = add_one(model, new_owner())
    caller = new_owner()

    with autocommit() as connection, pytest.raises(NotYours):
        read_owned(connection, model, thing_id, owner=caller)
    with transaction() as session, pytest.raises(NotYours):
        find_owned(session, model, thing_id, owner=caller)


@of_each_model
def test_the_id_of_a_deleted_thing_is_never_given_again(owner: int, model: type[Owned]):
    first = add_one(model, owner)
    with transaction() as session:
        session.delete(find_owned(session, model, first, owner=owner))

    assert add_one(model, owner) > first


@pytest.mark.parametrize("status", PLAN_STATUSES)
def test_a_plan_keeps_its_status(owner: int, status: str):
    plan_id = add_one(FuturePlan, owner, status=status)

    with autocommit() as connection:
        assert read_owned(connection, FuturePlan, plan_id, owner=owner).status == status


def test_a_list_of_skills_keeps_its_order(owner: int):
    skills = ["SQL", "", "Ökologie", "SQL"]

    achievement_id = add_one(Achievement, owner, core_skills_json=skills)

    with autocommit() as connection:
        assert read_owned(connection, Achievement, achievement_id, owner=owner).core_skills_json == skills


def add_one(model: type[Owned], owner: int, *, hour: int = 0, **values: Any) -> int:
    least: Mapping[str, Any] = MODELS[model]
    with transaction() as session:
        return add(session, model, {**least, **values}, owner=owner, at=MORNING + timedelta(hours=hour)).id


def ids_of(listing: Listing, owner: int, **part: int) -> list[int]:
    return [row.id for page in listing.pages(owner=owner, **part) for row in page]
