"""Lists of any length, read in pages by key: each page begins after the last row of the one before.

Every page is a statement of its own. Between two of them no connection, thread or transaction is kept, so a client that
reads slowly keeps nobody waiting, and the last page of a long list is found as fast as the first.
"""

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple, Self

from sqlalchemy import ColumnElement, Connection, FromClause, Integer, Select, and_, bindparam, not_, or_, tuple_

from db.sql.engine import autocommit
from db.sql.prepared import Prepared

NO_LIMIT = 2**31 - 1
"""The limit of a list without one."""

FIRST_ROWS = 100
"""The rows of a first page; nearly every list is shorter."""

MOST_ROWS = 200
FEWEST_ROWS = 20
PAGE_BYTES = 1_048_576
"""About how long a page is when it is written, from the second on: `Pages.fit` says how long the last one was."""


class Key(NamedTuple):
    """What a list is sorted by: a column of its table, and the direction."""

    column: Any
    descending: bool = False

    def of(self, rows: FromClause | None = None) -> ColumnElement[Any]:
        """Write it for an ORDER BY, of a subquery where one is given."""
        column = self.column if rows is None else rows.c[self.name]
        return column.desc() if self.descending else column.asc()

    @property
    def name(self) -> str:
        """The name of the column."""
        return self.column.key


Keys = tuple[Key, ...]
Rows = Callable[[Sequence[ColumnElement[bool]], Keys], Select[Any]]
"""Writes the statement that reads the rows that meet all conditions, in the order of the keys, as `in_pages` says."""


class Listing:
    """A list in an order, with its statements. The rows hold the columns that they are sorted by."""

    def __init__(self, rows: Rows, keys: Keys, *, last: ColumnElement[bool] | None = None) -> None:
        """Describe a list; its keys are a total order.

        `last` is the condition for rows that come last because the first key is NULL in them. No range of an index
        holds them together with the others, so the list is read in two stretches.
        """
        self.rows = rows
        self.stretches = [(and_(True), keys)] if last is None else [(not_(last), keys), (last, keys[1:])]
        whole = keys if last is None else (Key(last), *keys)
        self.from_offset = Prepared(rows([], whole))
        self.statement = cache(self._statement)

    def pages(self, *, limit: int | None = None, offset: int = 0, **values: Any) -> "Pages":
        """Return the pages of the rows from the offset on; none is read yet."""
        return Pages(self, values, limit=NO_LIMIT if limit is None else limit, offset=offset)

    def _statement(self, stretch: int, *, goes_on: bool) -> Prepared:
        condition, keys = self.stretches[stretch]
        return Prepared(self.rows([condition, *([_after(keys)] if goes_on else [])], keys))


class Place(NamedTuple):
    """Where a page ended: in which stretch of its list, and after which row of it."""

    stretch: int
    row: Any | None


class Pages(Iterator[list[Any]]):
    """The pages of a list, each read when it is asked for; the first has `FIRST_ROWS` rows, or fewer.

    A row that is there all the time is in one of them exactly once, unless what the list is sorted by is changed
    meanwhile.
    """

    def __init__(self, listing: Listing, values: Mapping[str, Any], *, limit: int, offset: int) -> None:
        self.listing, self.values, self.left, self.offset = listing, values, limit, offset
        self.size = FIRST_ROWS
        self.place: Place | None = None
        self.has_more = True
        self.ahead: list[Any] | None = None
        self.show: Callable[[Any], Any] = _as_it_is

    def shown_as(self, show: Callable[[Any], Any]) -> Self:
        """Have each row shown by a function."""
        self.show = show
        return self

    def begin(self, connection: Connection) -> list[Any]:
        """Read the first page at once, and return its rows."""
        self.ahead = self._read(connection)
        return self.ahead

    def __next__(self) -> list[Any]:
        """Read the next page, on a connection that is put back at once."""
        if self.ahead is None and not self.has_more:
            raise StopIteration
        rows, self.ahead = self.ahead, None
        if rows is None:
            with autocommit() as connection:
                rows = self._read(connection)
        return [self.show(row) for row in rows]

    def fit(self, length: int) -> None:
        """Choose the size of the next page, now that the last one turned out to have so many bytes."""
        self.size = max(FEWEST_ROWS, min(MOST_ROWS, self.size * PAGE_BYTES // max(1, length)))

    def _read(self, connection: Connection) -> list[Any]:
        limit = min(self.size, self.left)
        if self.place is None:
            rows = self.listing.from_offset.rows(connection, **self.values, page_limit=limit, page_offset=self.offset)
        else:
            rows = self._rows_after(connection, self.place, limit)
        self.left -= len(rows)
        self._move_on(rows, is_full=len(rows) == limit)
        return rows

    def _rows_after(self, connection: Connection, place: Place, limit: int) -> list[Any]:
        statement = self.listing.statement(place.stretch, goes_on=place.row is not None)
        _, keys = self.listing.stretches[place.stretch]
        after = {} if place.row is None else {f"after_{key.name}": getattr(place.row, key.name) for key in keys}
        return statement.rows(connection, **self.values, **after, page_limit=limit, page_offset=0)

    def _move_on(self, rows: list[Any], *, is_full: bool) -> None:
        stretches = self.listing.stretches
        if rows and is_full:
            _, (first, *_) = stretches[0]
            self.place = Place(len(stretches) - 1 if getattr(rows[-1], first.name) is None else 0, rows[-1])
        elif self.place is not None:
            # What came was the rest of a stretch.
            self.place = Place(self.place.stretch + 1, None)
        self.has_more = self.left > 0 and self.place is not None and self.place.stretch < len(stretches)


def in_pages(rows: Select[Any]) -> Select[Any]:
    """Give a statement the parameters `page_limit` and `page_offset`."""
    page_limit, page_offset = bindparam("page_limit", type_=Integer), bindparam("page_offset", type_=Integer)
    return rows.limit(page_limit).offset(page_offset)


def _after(keys: Keys) -> ColumnElement[bool]:
    # One comparison of rows where all keys go the same way: both databases find its beginning in an index. Else the
    # first key is compared by itself, so that it still is a range of an index.
    column, descending = keys[0]
    bounds = [bindparam(f"after_{key.name}", type_=key.column.type) for key in keys]
    if all(key.descending == descending for key in keys):
        row, bound = tuple_(*(key.column for key in keys)), tuple_(*bounds)
        return row < bound if descending else row > bound
    from_it, after_it = (operator.le, operator.lt) if descending else (operator.ge, operator.gt)
    return and_(from_it(column, bounds[0]), or_(after_it(column, bounds[0]), _after(keys[1:])))


def _as_it_is(row: Any) -> Any:
    return row
