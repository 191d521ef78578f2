"""Categories of tasks (tasktracker; the other contracts leave them alone)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, String, UniqueConstraint, bindparam, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.errors import Duplicate, NotFound
from db.sql.constraints import broken_by
from db.sql.listings import Key
from db.sql.ownership import Changing, Owned, find_owned, listing_of, read_owned
from db.sql.pages import Part, count_of, part_of
from db.sql.types import Id, by_code_point
from db.tasks.tasks import Task

GRAY = "#6B7280"
"""The color of a category that was given none."""


class Category(Changing, Owned):
    """A name that an account groups its tasks under, one for each task at most, with a color."""

    __tablename__ = "categories"
    __table_args__ = (UniqueConstraint("account_id", "name"), Owned.__table_args__)
    called = "category"

    name: Mapped[str] = mapped_column(by_code_point(String(100)))
    color: Mapped[str] = mapped_column(String(7), default=GRAY)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


_BY_NAME = listing_of(Category, Key(Category.name))
_COUNT = count_of(Category.account_id == bindparam("owner", type_=Id))


@contextmanager
def refusing_taken_names() -> Iterator[None]:
    """Raise `Duplicate` when the database refuses a second category of the same name."""
    try:
        yield
    except IntegrityError as error:
        if any(column in broken_by(error) for column in ("categories_account_id_name", "categories.name")):
            raise Duplicate("Another category has this name.", "category_name_taken") from error
        raise


def part_of_categories(connection: Connection, *, owner: int, limit: int | None, offset: int) -> Part:
    """Begin to read an account's categories in the order of their names, all or a part, and count all of them."""
    return part_of(connection, _BY_NAME, _COUNT, owner=owner, limit=limit, offset=offset)


@contextmanager
def within_own_categories(connection: Connection, values: Mapping[str, Any], *, owner: int) -> Iterator[None]:
    """Check that the category among these values is the account's, and that it is not deleted meanwhile.

    Raises `NotFound` or `NotYours`.
    """
    category_id = values.get("category_id")
    if category_id is None:
        yield
        return
    read_owned(connection, Category, category_id, owner=owner)
    try:
        yield
    except IntegrityError as error:
        # SQLite does not name the foreign key; if the account was deleted, its categories were deleted with it.
        if any(key in broken_by(error) for key in ("fk_tasks_category_id", "FOREIGN KEY")):
            raise NotFound("There is no such category.", "category_not_found") from error
        raise


def remove_category(session: Session, category_id: int, *, owner: int) -> None:
    """Delete a category and leave its tasks without one. Raises `NotFound` or `NotYours`.

    The tasks are locked first, because a change of a task locks the task and then, by the foreign key, its category.
    """
    in_it = Task.category_id == category_id
    session.execute(update(Task).where(Task.account_id == owner, in_it).values(category_id=None))
    session.delete(find_owned(session, Category, category_id, owner=owner))
