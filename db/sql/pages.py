"""Parts of lists: some of the matching rows, and the count of all of them."""

from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, func, select

from db.sql.listings import Listing, Pages
from db.sql.prepared import Prepared


class Part(NamedTuple):
    """The rows of a list from an offset on, up to a limit, and the number of rows in the whole list."""

    rows: Pages
    total: int


def part_of(
    connection: Connection, listing: Listing, counting: Prepared, *, limit: int | None, offset: int, **values: Any
) -> Part:
    """Begin to read a part of a list, or all of it where there is no limit.

    `counting` (made by `count_of`) runs where the rows do not show the count.
    """
    pages = listing.pages(limit=limit, offset=offset, **values)
    count = len(pages.begin(connection))
    # With as many rows as were asked for, or none from this offset on, there may be others.
    if count not in {0, limit} and not pages.has_more:
        return Part(pages, offset + count)
    return Part(pages, counting.rows(connection, **values)[0].total)


def count_of(*conditions: ColumnElement[bool]) -> Prepared:
    """Prepare the statement that counts the rows that meet all conditions."""
    return Prepared(select(func.count().label("total")).where(*conditions))
