"""Lists of tasks: filtered, searched, sorted and in pages, with indexes for the orders and filters."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, time
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    ColumnElement,
    Connection,
    FromClause,
    Index,
    Label,
    Select,
    String,
    and_,
    bindparam,
    false,
    func,
    or_,
    select,
)

from db.sql.listings import Key, Keys, Listing, Pages, in_pages
from db.sql.ownership import table_of
from db.sql.pages import Part, count_of, part_of
from db.sql.prepared import Prepared
from db.sql.types import Id, folded
from db.tasks.details import detailed_tasks, plain_tasks
from db.tasks.tasks import Task

Filters = Mapping[str, Any]
"""The conditions by name, with the values to compare with; a condition whose value is None does not apply."""

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
    """What a list is sorted by, and in which direction; ties go by id, and tasks without a due date come last."""

    column: str
    descending: bool = False


FEW = 1_000
"""Up to this many matching tasks are collected and then sorted, faster than they may be found along an index."""

_HELD_BY_ORDERS = {"is_open", "is_completed", "priority", "search"}
"""Conditions that the orders' own indexes can answer; a search reads all tasks of an account in any case."""

Shown = Callable[[FromClause], Select[Any]]
"""How much of each task is read: `detailed_tasks`, or `plain_tasks` without recurrence and tags."""


def part_of_tasks(
    connection: Connection,
    order: Order,
    filters: Filters,
    *,
    owner: int,
    limit: int,
    offset: int,
    shown: Shown = detailed_tasks,
) -> Part:
    """Begin to read a part of an account's tasks that meet all filters, and count all of them."""
    given = _given(filters)
    names, values = tuple(given), {**given, "owner": owner}
    counting = _counting(names)
    if given.keys() <= _HELD_BY_ORDERS:
        return part_of(connection, _listing(order, names, shown), counting, **values, limit=limit, offset=offset)
    total = counting.rows(connection, **values)[0].total
    listing = _listing(order, names, shown, gathered=total <= FEW)
    return Part(listing.pages(**values, limit=limit, offset=offset), total)


def tasks_in_order(order: Order, filters: Filters, *, owner: int, limit: int | None, offset: int) -> Pages:
    """Return the pages of an account's plain tasks that meet all filters, from the offset on."""
    given = _given(filters)
    return _listing(order, tuple(given), plain_tasks).pages(**given, owner=owner, limit=limit, offset=offset)


def due_filters(*, on: date | None, before: date | None, after: date | None) -> Filters:
    """Return the filters for tasks that are due on a day, before a day or after a day; days are those of UTC."""
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


def _keys_of(order: Order) -> Keys:
    return tuple(Key(column, order.descending) for column in (*_SORTED_BY[order.column], _TASKS.c.id))


@cache
def _listing(
    order: Order, filters: tuple[str, ...], shown: Shown = detailed_tasks, *, gathered: bool = False
) -> Listing:
    unshown = [column.name for column in _SORTED_BY[order.column] if column.info.get("is_key")]

    def rows(conditions: Sequence[ColumnElement[bool]], keys: Keys) -> Select[Any]:
        matching = (*(_CONDITIONS[name] for name in filters), *conditions)
        found = select(*(key.column for key in keys)).where(_OWN, *matching)
        # Either an index is read in the order asked for, and the rows that the offset skips are never read; or the
        # rows that match the filters are collected and then sorted, and the rows that do not match are never read.
        kept = found.cte("found").prefix_with("MATERIALIZED") if gathered else None
        in_order: Any = (found if kept is None else select(kept)).order_by(*(key.of(kept) for key in keys))
        page = in_pages(in_order).subquery("page")
        tasks = shown(page.join(_TASKS, _TASKS.c.id == page.c.id))
        return tasks.add_columns(*(page.c[name] for name in unshown)).order_by(*(key.of(page) for key in keys))

    return Listing(rows, _keys_of(order), last=_TASKS.c.undated if order.column == "due_date" else None)


@cache
def _counting(filters: tuple[str, ...]) -> Prepared:
    return count_of(_OWN, *(_CONDITIONS[name] for name in filters))


def _count(name: str, *conditions: ColumnElement[bool]) -> Label[Any]:
    return select(func.count()).where(_OWN, *conditions).scalar_subquery().label(name)


_TALLY = Prepared(select(_count("total"), _count("pending", _IS_OPEN)))


def tally_tasks(connection: Connection, *, owner: int) -> Any:
    """Count an account's tasks: all of them (`total`), and those that are not completed (`pending`)."""
    return _TALLY.first(connection, owner=owner)


def _index(part: str, order: Order, where: ColumnElement[bool] | None) -> None:
    direction = "_latest" if order.descending else ""
    keys = [key.of() if key.descending else key.column for key in _keys_of(order)]
    keys = [_TASKS.c.undated, *keys] if order.column == "due_date" else keys
    # The other indexes hold the priority too, so that it is filtered by without reading the table.
    filtered = [] if _TASKS.c.created_at in _SORTED_BY[order.column] else [_TASKS.c.priority]
    name = f"ix_tasks_{part}_by_{order.column}{direction}"
    Index(name, _TASKS.c.account_id, *keys, *filtered, postgresql_where=where, sqlite_where=where)


# Scanned backwards, an index serves the other direction too, except for due dates: tasks without one stay last.
for _order in (*map(Order, _SORTED_BY), Order("due_date", descending=True)):
    _index("open", _order, _IS_OPEN)
    _index("completed", _order, _IS_COMPLETED)
    if _order.column != "created_at":
        _index("all", _order, None)
