"""The task list in pages: filtered, searched and sorted, with an index for each order and filter."""

from collections.abc import Mapping
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    FromClause,
    Index,
    String,
    UnaryExpression,
    bindparam,
    or_,
    select,
)

from db.ownership import in_pages, table_of
from db.pages import Page, count_of, page_of
from db.prepared import Prepared
from db.tasks import Task
from db.types import Id, folded
from db.whole_tasks import whole_tasks

Filters = Mapping[str, Any]
"""Conditions by name, with the values they compare with; a value of None stands for any."""

_TASKS = table_of(Task)
_OWN = Task.account_id == bindparam("owner", type_=Id)
_IS_OPEN, _IS_COMPLETED = Task.completed_at.is_(None), Task.completed_at.is_not(None)


def _holds_searched(column: Any) -> ColumnElement[bool]:
    return column.like(bindparam("search", type_=String()), escape="/")


_CONDITIONS: dict[str, ColumnElement[bool]] = {
    "is_open": _IS_OPEN,
    "is_completed": _IS_COMPLETED,
    "priority": Task.priority == bindparam("priority"),
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


class _Key(NamedTuple):
    column: Column[Any]
    descending: bool

    def of(self, rows: FromClause) -> UnaryExpression[Any]:
        column = rows.c[self.column.name]
        return column.desc() if self.descending else column.asc()


def page_of_tasks(
    connection: Connection, order: Order, filters: Filters, *, owner: int, limit: int, offset: int
) -> Page:
    """Read one page of an account's tasks that meet all the filters, whole, and how many there are of these."""
    given = {name: value for name, value in filters.items() if value is not None}
    if "search" in given:
        given["search"] = _pattern(given["search"])
    listing, counting = _listing(order, tuple(given)), _counting(tuple(given))
    return page_of(connection, listing, counting, owner=owner, limit=limit, offset=offset, **given)


def _pattern(text: str) -> str:
    literal = (folded(text) or "").replace("/", "//").replace("%", "/%").replace("_", "/_")
    return f"%{literal}%"


def _keys_of(order: Order) -> list[_Key]:
    keys = [_Key(column, order.descending) for column in (*_SORTED_BY[order.column], _TASKS.c.id)]
    return [_Key(_TASKS.c.undated, False), *keys] if order.column == "due_date" else keys


@cache
def _listing(order: Order, filters: tuple[str, ...]) -> Prepared:
    # The page is found in an index alone, so that rows that are skipped are never read.
    keys = _keys_of(order)
    conditions = [_CONDITIONS[name] for name in filters]
    found = select(*(key.column for key in keys)).where(_OWN, *conditions).order_by(*(key.of(_TASKS) for key in keys))
    page = in_pages(found).subquery("page")
    tasks = page.join(_TASKS, _TASKS.c.id == page.c.id)
    return Prepared(whole_tasks(tasks).order_by(*(key.of(page) for key in keys)))


@cache
def _counting(filters: tuple[str, ...]) -> Prepared:
    return count_of(_OWN, *(_CONDITIONS[name] for name in filters))


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
