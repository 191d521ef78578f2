"""Tags of tasks (fullstack): made when a task first names them, with a color that depends on the name alone."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4
from zlib import crc32

from sqlalchemy import (
    Column,
    Connection,
    ForeignKey,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    bindparam,
    delete,
    insert,
    select,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.errors import Duplicate
from db.sql.constraints import broken_by, insert_into
from db.sql.deadlocks import is_deadlock
from db.sql.listings import Key
from db.sql.ownership import Changing, Owned, add, listing_of
from db.sql.pages import Part, count_of, part_of
from db.sql.types import Base, Id, by_code_point

PALETTE = (
    "#FF5733",
    "#17A589",
    "#3357FF",
    "#FFC300",
    "#C70039",
    "#900C3F",
    "#581845",
    "#2E86C1",
    "#33FF57",
    "#D68910",
    "#7D3C98",
    "#5D6D7E",
)
"""The colors of tags that were given none."""

_NAME_TAKEN = ("uq_tags_account_id_name", "tags.account_id, tags.name")
"""How the messages of PostgreSQL and SQLite name the constraint that forbids a second equal name."""

task_tags = Table(
    "task_tags",
    Base.metadata,
    Column("task_id", Id, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", Id, ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True, index=True),
    # A task's tags are shown in the order in which they were named.
    Column("position", SmallInteger, nullable=False, server_default="0"),
)


class Tag(Changing, Owned):
    """A word that an account puts on its tasks, any number on each, with a color."""

    __tablename__ = "tags"
    __table_args__ = (UniqueConstraint("account_id", "name"), Owned.__table_args__)
    called = "tag"

    uuid: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    name: Mapped[str] = mapped_column(by_code_point(String(50)))
    color: Mapped[str] = mapped_column(String(7))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


_BY_NAME = listing_of(Tag, Key(Tag.name))
_COUNT = count_of(Tag.account_id == bindparam("owner", type_=Id))


def color_of(name: str) -> str:
    """Choose the color of a tag that was given none: the same name always has the same one."""
    return PALETTE[crc32(name.encode()) % len(PALETTE)]


def part_of_tags(connection: Connection, *, owner: int, limit: int, offset: int) -> Part:
    """Begin to read a part of an account's tags in the order of their names, and count all of them."""
    return part_of(connection, _BY_NAME, _COUNT, owner=owner, limit=limit, offset=offset)


def add_tag(session: Session, values: Mapping[str, Any], *, owner: int, at: datetime) -> Tag:
    """Add a tag. Raises `Duplicate` when the account already has one of this name."""
    color = values.get("color") or color_of(values["name"])
    with _refusing_taken_name():
        return add(session, Tag, {**values, "uuid": uuid4(), "color": color}, owner=owner, at=at)


def change_tag(session: Session, tag: Tag, values: Mapping[str, Any], *, at: datetime) -> None:
    """Change a tag's members. Raises `Duplicate` when the account has another one of this name."""
    tag.change(values, at=at)
    with _refusing_taken_name():
        session.flush()


@contextmanager
def _refusing_taken_name() -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        # Two tags that swap names at the same time wait for each other.
        if is_deadlock(error) or any(words in broken_by(error) for words in _NAME_TAKEN):
            raise Duplicate("Another tag has this name.", "tag_name_taken") from error
        raise


def put_tags(session: Session, task_id: int, names: Sequence[str], *, owner: int, at: datetime) -> bool:
    """Replace the tags of a task by those of these names, in this order, and return whether they are others now.

    Missing tags are added.
    """
    tag_ids = _ids_of_tags(session, list(dict.fromkeys(names)), owner, at)
    of_task = task_tags.c.task_id == task_id
    before = session.scalars(select(task_tags.c.tag_id).where(of_task).order_by(task_tags.c.position)).all()
    if before == tag_ids:
        return False
    session.execute(delete(task_tags).where(of_task))
    if tag_ids:
        rows = [{"task_id": task_id, "tag_id": tag_id, "position": n} for n, tag_id in enumerate(tag_ids)]
        session.execute(insert(task_tags), rows)
    return True


def _ids_of_tags(session: Session, names: list[str], owner: int, at: datetime) -> list[int]:
    found = _kept_tags(session, names, owner)
    while missing := sorted(name for name in names if name not in found):
        # Of requests that add the same tag, one adds it and the others wait; all of them add in the same order. A tag
        # that is deleted before it is locked is added again.
        rows = [
            {"uuid": uuid4(), "account_id": owner, "name": name, "color": color_of(name)}
            | {"created_at": at, "updated_at": at}
            for name in missing
        ]
        session.execute(insert_into(session, Tag).on_conflict_do_nothing(), rows)
        found = _kept_tags(session, names, owner)
    return [found[name] for name in names]


def _kept_tags(session: Session, names: list[str], owner: int) -> dict[str, int]:
    # The lock prevents their deletion before the task refers to them.
    named = select(Tag.name, Tag.id).where(Tag.account_id == owner, Tag.name.in_(names)).order_by(Tag.name)
    rows = session.execute(named.with_for_update(read=True, key_share=True))
    return {row.name: row.id for row in rows}


def copy_tags(session: Session, task_id: int, to_task_id: int) -> None:
    """Copy the tags of a task to another one that has none."""
    kept = (
        select(bindparam("to_task_id", to_task_id, type_=Id), task_tags.c.tag_id, task_tags.c.position)
        .join(Tag, Tag.id == task_tags.c.tag_id)
        .where(task_tags.c.task_id == task_id)
        .with_for_update(read=True, key_share=True, of=Tag.__table__)
    )
    session.execute(insert(task_tags).from_select(["task_id", "tag_id", "position"], kept))
