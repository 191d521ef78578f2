"""Categories: what an account sorts its tasks into (tasktracker; the other contracts leave them alone)."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, bindparam, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from db.errors import Duplicate, NotFound
from db.labels import Category
from db.ownership import find_owned, listing_of, read_owned
from db.pages import Page, count_of, page_of
from db.tasks import Task
from db.types import Id

_BY_NAME = listing_of(Category, Category.name)
_COUNT = count_of(Category.account_id == bindparam("owner", type_=Id))

_NAME_TAKEN = ("uq_categories_account_id_name", "categories.name")
_CATEGORY_LOST = ("fk_tasks_category_id_categories", "FOREIGN KEY")
"""What PostgreSQL and SQLite call the two constraints; SQLite does not tell one foreign key from another."""


@contextmanager
def refusing_taken_names() -> Iterator[None]:
    """Turn the database's refusal of a second category of one name into `Duplicate`."""
    try:
        yield
    except IntegrityError as error:
        if _names(error, _NAME_TAKEN):
            raise Duplicate("Another category has this name.", "category_name_taken") from error
        raise


@contextmanager
def refusing_lost_categories() -> Iterator[None]:
    """Turn the database's refusal of a category that was deleted a moment ago into `NotFound`."""
    try:
        yield
    except IntegrityError as error:
        if _names(error, _CATEGORY_LOST):
            raise NotFound("There is no such category.", "category_not_found") from error
        raise


def _names(error: IntegrityError, constraint: tuple[str, ...]) -> bool:
    return any(name in str(error.orig) for name in constraint)


def page_of_categories(connection: Connection, *, owner: int, limit: int, offset: int) -> Page:
    """Read one page of an account's categories, in the order of their names, and how many it has."""
    return page_of(connection, _BY_NAME, _COUNT, owner=owner, limit=limit, offset=offset)


def refuse_foreign_category(connection: Connection, values: Mapping[str, Any], *, owner: int) -> None:
    """Refuse values of a task that name no category of its account. Raises `NotFound` or `NotYours`."""
    category_id = values.get("category_id")
    if category_id is not None:
        read_owned(connection, Category, category_id, owner=owner)


def remove_category(session: Session, category_id: int, *, owner: int) -> None:
    """Delete a category and leave its tasks without one. Raises `NotFound` or `NotYours`.

    The tasks are locked first: whoever changes a task locks the task and then, by the foreign key, its category.
    """
    in_it = Task.category_id == category_id
    session.execute(update(Task).where(Task.account_id == owner, in_it).values(category_id=None))
    session.delete(find_owned(session, Category, category_id, owner=owner))
