"""Pages of lists: some of the matching rows, and the count of all of them."""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select

from db.sql.prepared import Prepared


class Page(NamedTuple):
    """One page of a list, and the number of rows in the whole list."""

    rows: list[Any]
    total: int


def page_of(
    connection: Connection, listing: Prepared, counting: Prepared, *, limit: int, offset: int, **values: Any
) -> Page:
    """Read one page of a listing; `counting` (made by `count_of`) runs only where the page does not show the total."""
    rows = listing.rows(connection, **values, page_limit=limit, page_offset=offset)
    if 0 < len(rows) < limit:
        return Page(rows, offset + len(rows))
    return Page(rows, counting.rows(connection, **values)[0].total)


def count_of(*conditions: ColumnElement[bool]) -> Prepared:
    """Prepare the statement that counts the rows that meet all conditions."""
    return Prepared(select(func.count().label("total")).where(*conditions))
