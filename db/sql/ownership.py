"""Things that belong to an account: finding, listing and adding them, and telling "not there" from "not yours"."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, TypeVar
from uuid import UUID

from sqlalchemy import Column, ColumnElement, Connection, ForeignKey, Select, Table, bindparam, select
from sqlalchemy.orm import Mapped, Session, declared_attr, mapped_column

from db.errors import NotFound, NotYours
from db.sql.listings import Key, Keys, Listing, in_pages
from db.sql.prepared import Prepared
from db.sql.types import Base, Id

Row = Any
"""What rendering functions show: a plain row of a table or of a join, or a model; both have the columns by name."""


class Owned(Base):
    """A thing of one account, with an id unique over all accounts; it is deleted together with the account."""

    __abstract__ = True
    __table_args__: ClassVar[Any] = {"sqlite_autoincrement": True}

    called: ClassVar[str]
    """The name of such a thing in messages: "focus item"."""

    id: Mapped[int] = mapped_column(Id, primary_key=True, sort_order=-2)

    @declared_attr
    @classmethod
    def account_id(cls) -> Mapped[int]:
        """Return the column of the account that it belongs to."""
        return mapped_column(Id, ForeignKey("accounts.id", ondelete="CASCADE"), sort_order=-1)


class Changing:
    """A thing whose members a change sets."""

    updated_at: Mapped[datetime]

    def change(self, values: Mapping[str, Any], *, at: datetime) -> None:
        """Set the given members; `updated_at` is when one of them last became different."""
        if put(self, values):
            self.updated_at = at


def put(thing: object, values: Mapping[str, Any]) -> set[str]:
    """Set members of a thing, and return the names of those that were different before."""
    changes = {name: value for name, value in values.items() if getattr(thing, name) != value}
    for name, value in changes.items():
        setattr(thing, name, value)
    return set(changes)


Thing = TypeVar("Thing", bound=Owned)


def find_owned(session: Session, model: type[Thing], thing_id: int | UUID, *, owner: int) -> Thing:
    """Find a thing and lock it, in order to change it. Raises `NotFound` or `NotYours`."""
    thing = session.get(model, thing_id, with_for_update=True)
    _refuse_unless_owned(session, model, thing, owner)
    # For the type checker: the line above has raised.
    assert thing is not None  # noqa: S101  # nosec B101
    return thing


def read_owned(connection: Connection, model: type[Owned], thing_id: int | UUID, *, owner: int) -> Any:
    """Read the row of a thing, in order to show it. Raises `NotFound` or `NotYours`."""
    row = _row_by_id(model).first(connection, thing_id=thing_id)
    _refuse_unless_owned(connection, model, row, owner)
    return row


def find_by_uuid(session: Session, model: type[Thing], uuid: UUID, *, owner: int) -> Thing:
    """Find a thing by its UUID and lock it, in order to change it. Raises `NotFound` or `NotYours`."""
    named = select(model).where(table_of(model).c.uuid == uuid)
    thing = session.scalars(named.with_for_update()).first()
    _refuse_unless_owned(session, model, thing, owner)
    # For the type checker: the line above has raised.
    assert thing is not None  # noqa: S101  # nosec B101
    return thing


def read_by_uuid(
    connection: Connection, model: type[Owned], statement: Prepared, uuid: UUID, *, owner: int, **more: Any
) -> Any:
    """Read the row that a statement finds by `uuid`, `owner` and more. Raises `NotFound` or `NotYours`."""
    row = statement.first(connection, uuid=uuid, owner=owner, **more)
    _refuse_unless_owned(connection, model, row, owner)
    return row


def add(session: Session, model: type[Thing], values: Mapping[str, Any], *, owner: int, at: datetime) -> Thing:
    """Add a thing to an account and return it with its id; members that are left out have their defaults."""
    thing = model(**values, account_id=owner, created_at=at, updated_at=at)
    session.add(thing)
    session.flush()
    return thing


def listing_of(model: type[Owned], *keys: Key, last: ColumnElement[bool] | None = None) -> Listing:
    """Describe the list of an account's things (`owner`) in an order; among equals, the newest id comes first.

    `last` is the condition for those that come last because they lack what the others are sorted by.
    """
    own = table_of(model).c.account_id == bindparam("owner", type_=Id)

    def rows(conditions: Sequence[ColumnElement[bool]], keys: Keys) -> Select[Any]:
        return in_pages(select(*shown_columns(model)).where(own, *conditions).order_by(*(key.of() for key in keys)))

    return Listing(rows, (*keys, Key(table_of(model).c.id, descending=True)), last=last)


def table_of(model: type[Base]) -> Table:
    """Return a model's table, for statements that read plain rows instead of objects."""
    # Never a join or an alias here.
    assert isinstance(model.__table__, Table)  # noqa: S101  # nosec B101
    return model.__table__


def shown_columns(model: type[Base]) -> list[Column[Any]]:
    """List a model's columns, except those that only the database compares by."""
    return [column for column in table_of(model).columns if not column.info.get("is_key")]


def defaults_of(model: type[Base], *names: str) -> dict[str, Any]:
    """Return the fixed defaults of these columns of a model; None for a column without one."""
    defaults: dict[str, Any] = {name: table_of(model).c[name].default for name in names}
    return {name: default and default.arg for name, default in defaults.items()}


@cache
def _row_by_id(model: type[Owned]) -> Prepared:
    return Prepared(select(*shown_columns(model)).where(model.id == bindparam("thing_id", type_=model.id.type)))


def _refuse_unless_owned(bind: Session | Connection, model: type[Owned], thing: Any, owner: int) -> None:
    if thing is not None and thing.account_id == owner:
        return
    missing = NotFound(f"There is no such {model.called}.", f"{_snake(model.called)}_not_found")
    if thing is None or not _stands(bind, thing.account_id):
        raise missing
    raise NotYours(f"This {model.called} belongs to somebody else.", hidden_as=missing)


def _stands(bind: Session | Connection, account_id: int) -> bool:
    # What a closed account has left is gone for everybody, even before it is deleted (db/sweeping.py).
    accounts = Base.metadata.tables["accounts"]
    return bind.scalar(select(accounts.c.is_active).where(accounts.c.id == account_id)) is True


def _snake(words: str) -> str:
    return words.replace(" ", "_").replace("-", "_")
