"""Lists in pages by key: the pages are the list, whatever it is sorted by."""

from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import cycle
from typing import Any

import pytest

from db.focus.sessions import NEWEST_SESSIONS_FIRST, FocusSession
from db.personal_anchor import (
    LATEST_ACHIEVEMENTS_FIRST,
    NEWEST_FOCUS_ITEMS_FIRST,
    SOONEST_PLANS_FIRST,
    Achievement,
    FocusItem,
    FuturePlan,
)
from db.sql import listings
from db.sql.engine import transaction
from db.sql.listings import FEWEST_ROWS, FIRST_ROWS, MOST_ROWS, PAGE_BYTES, Listing
from db.sql.ownership import Owned, add, find_owned
from db.tasks.lists import _SORTED_BY, Order, _listing
from db.tasks.tasks import NEWEST_TASKS_FIRST, PRIORITIES, Task

MORNING = datetime(2026, 3, 2, 8, tzinfo=UTC)
DAYS = [date(2026, 1, 2), None, date(2026, 1, 1), date(2026, 1, 1), None, None, date(2026, 1, 3)]
MANY = 23

TASK_ORDERS = [Order(column, descending=descending) for column in _SORTED_BY for descending in (False, True)]
LISTINGS: dict[str, tuple[Listing, type[Owned]]] = {
    "tasks": (NEWEST_TASKS_FIRST, Task),
    "achievements": (LATEST_ACHIEVEMENTS_FIRST, Achievement),
    "focus items": (NEWEST_FOCUS_ITEMS_FIRST, FocusItem),
    "plans": (SOONEST_PLANS_FIRST, FuturePlan),
    "sessions": (NEWEST_SESSIONS_FIRST, FocusSession),
    **{
        f"tasks by {order.column}{' down' if order.descending else ''}": (_listing(order, ("is_open",)), Task)
        for order in TASK_ORDERS
    },
}


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST_ROWS", "MOST_ROWS", "FEWEST_ROWS"):
        monkeypatch.setattr(listings, name, 4)


@pytest.mark.parametrize("name", LISTINGS)
def test_the_pages_by_key_are_the_list_at_once(
    owner: int, name: str, small_pages: None, monkeypatch: pytest.MonkeyPatch
):
    listing, model = LISTINGS[name]
    fill(model, owner)

    in_pages = list(listing.pages(owner=owner))
    from_the_sixth = rows_of(listing, owner, limit=11, offset=5)
    monkeypatch.setattr(listings, "FIRST_ROWS", 1_000)
    (at_once,) = listing.pages(owner=owner)

    assert len(at_once) == MANY
    assert [row for page in in_pages for row in page] == at_once
    assert from_the_sixth == at_once[5:16]
    assert max(len(page) for page in in_pages) <= 4


def test_a_page_that_is_the_last_one_says_so(owner: int, small_pages: None):
    fill(FocusItem, owner, count=4)
    fill(FuturePlan, owner, count=3)

    limited, short = NEWEST_FOCUS_ITEMS_FIRST.pages(owner=owner, limit=4), SOONEST_PLANS_FIRST.pages(owner=owner)
    for pages in (limited, short):
        next(pages)

    assert not limited.has_more
    assert not short.has_more


def test_what_is_added_or_removed_meanwhile_moves_nothing_else(owner: int, small_pages: None):
    ids = fill(Task, owner, count=12, hours=iter(range(12)))[::-1]
    pages = NEWEST_TASKS_FIRST.pages(owner=owner)

    read = [row.id for row in next(pages)]
    with transaction() as session:
        session.delete(find_owned(session, Task, ids[0], owner=owner))
        session.delete(find_owned(session, Task, ids[3], owner=owner))
    fill(Task, owner, count=3, hours=iter([99, 99, 99]))
    read += [row.id for page in pages for row in page]

    assert read == ids


def test_a_page_keeps_no_connection(owner: int, small_pages: None):
    fill(Task, owner)
    pages = NEWEST_TASKS_FIRST.pages(owner=owner)
    next(pages)

    with transaction() as session:
        # On SQLite nobody could write while somebody holds a connection that reads within a transaction.
        session.delete(find_owned(session, Task, next(pages)[0].id, owner=owner))

    assert len([row for page in pages for row in page]) == MANY - 8


def test_the_next_page_is_smaller_after_long_rows_and_larger_after_short_ones(owner: int):
    pages = NEWEST_TASKS_FIRST.pages(owner=owner)

    sizes = []
    for length in (10 * PAGE_BYTES, 10 * PAGE_BYTES, PAGE_BYTES // 5, 0):
        pages.fit(length)
        sizes.append(pages.size)

    assert sizes == [FEWEST_ROWS, FEWEST_ROWS, FIRST_ROWS, MOST_ROWS]


def rows_of(listing: Listing, owner: int, **part: int) -> list[Any]:
    return [row for page in listing.pages(owner=owner, **part) for row in page]


def fill(model: type[Owned], owner: int, count: int = MANY, hours: Iterator[int] | None = None) -> list[Any]:
    """Add things with many ties in everything that they could be sorted by."""
    hours, days, words = hours or cycle([1, 2, 1, 3, 1]), cycle(DAYS), cycle(PRIORITIES)
    members: dict[type[Owned], Callable[[], dict[str, Any]]] = {
        Task: lambda: {"title": next(words).title(), "priority": next(words), "due_at": at_noon(next(days))},
        Achievement: lambda: {"title": "Done", "date_achieved": next(days)},
        FocusItem: lambda: {"title": "Doing"},
        FuturePlan: lambda: {"description": "To do", "target_date": next(days)},
        FocusSession: dict,
    }
    with transaction() as session:
        at = [MORNING + timedelta(hours=next(hours)) for _ in range(count)]
        return [add(session, model, members[model](), owner=owner, at=one).id for one in at]


def at_noon(day: date | None) -> datetime | None:
    return day and datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
