"""The task list in pages: filtered, searched and sorted, with an index for each order and filter."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    FromClause,
    Index,
    Label,
    Select,
    String,
    UnaryExpression,
    and_,
    bindparam,
    false,
    func,
    or_,
    select,
)

from db.sql.ownership import NO_LIMIT, in_pages, table_of
from db.sql.pages import Page, count_of, page_of
from db.sql.prepared import Prepared
from db.sql.types import Id, folded
from db.tasks.details import detailed_tasks, plain_tasks
from db.tasks.tasks import Task

Filters = Mapping[str, Any]
"""Conditions by name, with the values they compare with; a value of None stands for any."""

_TASKS = table_of(Task)
_OWN = Task.account_id == bindparam("owner", type_=Id)
_IS_OPEN, _IS_COMPLETED = Task.completed_at.is_(None), Task.completed_at.is_not(None)
_IS_DATED = Task.undated == false()


def _holds_searched(column: Any) -> ColumnElement[bool]:
    return column.like(bindparam("search", type_=String()), escape="/")


_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "is_open": _IS_OPEN,
    "is_completed": _IS_COMPLETED,
    "status": Task.status == bindparam("status"),
    "priority": Task.priority == bindparam("priority"),
    "category_id": Task.category_id == bindparam("category_id", type_=Id),
    "due_from": and_(_IS_DATED, Task.due_at >= bindparam("due_from")),
    "due_until": and_(_IS_DATED, Task.due_at <= bindparam("due_until")),
    "due_before": and_(_IS_DATED, Task.due_at < bindparam("due_before")),
    "due_after": and_(_IS_DATED, Task.due_at > bindparam("due_after")),
    "search": or_(_holds_searched(Task.title_key), _holds_searched(Task.description_key)),
}
_SORTED_BY = {
    "created_at": (_TASKS.c.created_at,),
    "due_date": (_TASKS.c.due_at,),
    "priority": (_TASKS.c.priority, _TASKS.c.created_at),
    "title": (_TASKS.c.title_key,),
}


class Order(NamedTuple):
    """What a list is sorted by and which way; the id makes it total, and tasks without a due date stay last."""

    column: str
    descending: bool = False


FEW = 1_000
"""So many tasks are gathered and sorted in less time than it may take to come upon them along an order."""

_HELD_BY_ORDERS = {"is_open", "is_completed", "priority", "search"}
"""Conditions that the indexes of the orders hold themselves; search reads all of an account's tasks either way."""

Shown = Callable[[FromClause], Select[Any]]
"""How much of a task is read: `whole_tasks`, or `plain_tasks` without what only one contract shows."""


class _Key(NamedTuple):
    column: Column[Any]
    descending: bool

    def of(self, rows: FromClause) -> UnaryExpression[Any]:
        column = rows.c[self.column.name]
        return column.desc() if self.descending else column.asc()


def page_of_tasks(
    connection: Connection,
    order: Order,
    filters: Filters,
    *,
    owner: int,
    limit: int,
    offset: int,
    shown: Shown = detailed_tasks,
) -> Page:
    """Read one page of an account's tasks that meet all the filters, and how many there are of these."""
    given = _given(filters)
    names, values = tuple(given), {**given, "owner": owner}
    counting = _counting(names)
    if given.keys() <= _HELD_BY_ORDERS:
        return page_of(connection, _listing(order, names, shown), counting, **values, limit=limit, offset=offset)
    total = counting.rows(connection, **values)[0].total
    listing = _listing(order, names, shown, gathered=total <= FEW)
    return Page(listing.rows(connection, **values, page_limit=limit, page_offset=offset), total)


def tasks_in_order(
    connection: Connection, order: Order, filters: Filters, *, owner: int, limit: int | None, offset: int
) -> Sequence[Any]:
    """Read an account's tasks that meet all the filters, plain; all of them when there is no limit."""
    given = _given(filters)
    page_limit = NO_LIMIT if limit is None else limit
    listing = _listing(order, tuple(given), plain_tasks)
    return listing.rows(connection, **given, owner=owner, page_limit=page_limit, page_offset=offset)


def due_filters(*, on: date | None, before: date | None, after: date | None) -> Filters:
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
    given = {name: value for name, value in filters.items() if value is not None}
    if "search" in given:
        given["search"] = _pattern(given["search"])
    return given


def _pattern(text: str) -> str:
    literal = (folded(text) or "").replace("/", "//").replace("%", "/%").replace("_", "/_")
    return f"%{literal}%"


def _keys_of(order: Order) -> list[_Key]:
    keys = [_Key(column, order.descending) for column in (*_SORTED_BY[order.column], _TASKS.c.id)]
    return [_Key(_TASKS.c.undated, False), *keys] if order.column == "due_date" else keys


@cache
def _listing(
    order: Order, filters: tuple[str, ...], shown: Shown = detailed_tasks, *, gathered: bool = False
) -> Prepared:
    keys = _keys_of(order)
    found = select(*(key.column for key in keys)).where(_OWN, *(_CONDITIONS[name] for name in filters))
    # Found along the order, in an index alone, the rows that are skipped are never read. Gathered by the filters and
    # then sorted, no row that does not match is looked at.
    rows = found.cte("found").prefix_with("MATERIALIZED") if gathered else _TASKS
    in_order = (select(rows) if gathered else found).order_by(*(key.of(rows) for key in keys))
    page = in_pages(in_order).subquery("page")
    tasks = page.join(_TASKS, _TASKS.c.id == page.c.id)
    return Prepared(shown(tasks).order_by(*(key.of(page) for key in keys)))


@cache
def _counting(filters: tuple[str, ...]) -> Prepared:
    return count_of(_OWN, *(_CONDITIONS[name] for name in filters))


def _count(name: str, *conditions: ColumnElement[bool]) -> Label[Any]:
    return select(func.count()).where(_OWN, *conditions).scalar_subquery().label(name)


_TALLY = Prepared(select(_count("total"), _count("pending", _IS_OPEN)))


def tally_tasks(connection: Connection, *, owner: int) -> Any:
    """Count an account's tasks: how many there are (`total`) and how many of them are not done (`pending`)."""
    return _TALLY.first(connection, owner=owner)


def _index(part: str, order: Order, where: ColumnElement[bool] | None) -> None:
    direction = "_latest" if order.descending else ""
    keys = [key.column.desc() if key.descending else key.column for key in _keys_of(order)]
    # What is sorted by neither is filtered by priority as the index is walked.
    filtered = [] if _TASKS.c.created_at in _SORTED_BY[order.column] else [_TASKS.c.priority]
    name = f"ix_tasks_{part}_by_{order.column}{direction}"
    Index(name, _TASKS.c.account_id, *keys, *filtered, postgresql_where=where, sqlite_where=where)


# Scanned backwards, an index serves the other direction too, but for due dates: what has none stays last.
for _order in (*map(Order, _SORTED_BY), Order("due_date", descending=True)):
    _index("open", _order, _IS_OPEN)
    _index("completed", _order, _IS_COMPLETED)
    if _order.column != "created_at":
        _index("all", _order, None)
