"""The task list in parts: filtered, sorted, counted (tasktracker and todo)."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, bindparam, func, select

from db.ownership import EVERYTHING, in_pages, table_of
from db.pages import Page, count_of, page_of
from db.prepared import Prepared
from db.tasks import Task
from db.types import Id

Filters = Mapping[str, Any]
"""Conditions by name, with the values they compare with; a value of None stands for any."""

_OWN = Task.account_id == bindparam("owner", type_=Id)
_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "status": Task.status == bindparam("status"),
    "category_id": Task.category_id == bindparam("category_id", type_=Id),
    "due_from": Task.due_at >= bindparam("due_from"),
    "due_until": Task.due_at <= bindparam("due_until"),
    "due_before": Task.due_at < bindparam("due_before"),
    "due_after": Task.due_at > bindparam("due_after"),
    "is_completed": Task.status == "completed",
    # Said in the words of the index on open tasks, which are few among the many that are done.
    "is_open": Task.completed_at.is_(None),
}
_COLUMNS = {
    "created_at": Task.created_at,
    "due_date": Task.due_at,
    "priority": Task.priority,
    "title": Task.title_key,
}


class Order(NamedTuple):
    """What a list is sorted by and which way; tasks without a due date come last either way."""

    column: str
    descending: bool = False


def tasks_in_order(
    connection: Connection, order: Order, filters: Filters, *, owner: int, limit: int | None = None, offset: int = 0
) -> Sequence[Any]:
    """Read the rows of an account's tasks that meet all the filters; all of them when there is no limit."""
    given = _given(filters)
    listing = _listing(order, tuple(given))
    page_limit = EVERYTHING if limit is None else limit
    return listing.rows(connection, **given, owner=owner, page_limit=page_limit, page_offset=offset)


def page_of_tasks(
    connection: Connection, order: Order, filters: Filters, *, owner: int, limit: int, offset: int
) -> Page:
    """Read one page of an account's tasks that meet all the filters, and how many there are of these."""
    given = _given(filters)
    listing, counting = _listing(order, tuple(given)), _counting(tuple(given))
    return page_of(connection, listing, counting, owner=owner, limit=limit, offset=offset, **given)


def due_filters(*, on: date | None, before: date | None, after: date | None) -> dict[str, datetime | None]:
    """Say the days that tasks may be due on as instants in UTC: one day, the days before one, the days after one."""
    return {
        "due_from": _moment(on, time.min),
        "due_until": _moment(on, time.max),
        "due_before": _moment(before, time.min),
        "due_after": _moment(after, time.max),
    }


def _moment(day: date | None, at: time) -> datetime | None:
    return day and datetime.combine(day, at, UTC)


def _given(filters: Filters) -> dict[str, Any]:
    return {name: value for name, value in filters.items() if value is not None}


@cache
def _listing(order: Order, filters: tuple[str, ...]) -> Prepared:
    column, number = _COLUMNS[order.column], Task.id
    by = (column.desc().nulls_last(), number.desc()) if order.descending else (column.asc().nulls_last(), number.asc())
    return Prepared(in_pages(select(table_of(Task)).where(*_conditions(filters)).order_by(*by)))


@cache
def _counting(filters: tuple[str, ...]) -> Prepared:
    return count_of(*_conditions(filters))


def _conditions(filters: tuple[str, ...]) -> list[ColumnElement[bool]]:
    return [_OWN, *(_CONDITIONS[name] for name in filters)]


_TALLY = Prepared(
    select(
        func.count().label("total"),
        func.count().filter(_CONDITIONS["is_completed"]).label("completed"),
    ).where(_OWN)
)


def tally_tasks(connection: Connection, *, owner: int) -> Any:
    """Count an account's tasks: how many there are (`total`) and how many of them are done (`completed`)."""
    return _TALLY.first(connection, owner=owner)
