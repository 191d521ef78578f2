"""Labels of tasks: tags (fullstack; any number a task) and categories (tasktracker; one a task)."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Column, ForeignKey, SmallInteger, String, Table, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.ownership import Changing, Owned
from db.types import Base, Id, by_code_point

GRAY = "#6B7280"
"""The color of a category that was given none."""

task_tags = Table(
    "task_tags",
    Base.metadata,
    Column("task_id", Id, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", Id, ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True, index=True),
    # Tags come in the order in which they were named.
    Column("position", SmallInteger, nullable=False, server_default="0"),
)


class Tag(Changing, Owned):
    """A word that an account puts on its tasks, with a color."""

    __tablename__ = "tags"
    __table_args__ = (UniqueConstraint("account_id", "name"), Owned.__table_args__)
    called = "tag"

    uuid: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    name: Mapped[str] = mapped_column(by_code_point(String(50)))
    color: Mapped[str] = mapped_column(String(7))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Category(Changing, Owned):
    """A drawer that an account sorts its tasks into, with a color."""

    __tablename__ = "categories"
    __table_args__ = (UniqueConstraint("account_id", "name"), Owned.__table_args__)
    called = "category"

    name: Mapped[str] = mapped_column(by_code_point(String(100)))
    color: Mapped[str] = mapped_column(String(7), default=GRAY)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
