"""Labels of tasks: tags (fullstack; any number a task) and categories (tasktracker; one a task)."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Column, ForeignKey, String, Table, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from db.ownership import Changing, Owned
from db.types import Base, Id

GRAY = "#6B7280"
"""The color of a category that was given none."""

task_tags = Table(
    "task_tags",
    Base.metadata,
    Column("task_id", Id, ForeignKey("tasks.id", ondelete="CASCADE"), primary_key=True),
    Column("tag_id", Id, ForeignKey("tags.id", ondelete="CASCADE"), primary_key=True, index=True),
)


class Tag(Owned):
    """A word that an account puts on its tasks, with a color."""

    __tablename__ = "tags"
    __table_args__ = (UniqueConstraint("account_id", "name"), Owned.__table_args__)
    called = "tag"

    uuid: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    name: Mapped[str] = mapped_column(String(50))
    color: Mapped[str] = mapped_column(String(7))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Category(Changing, Owned):
    """A drawer that an account sorts its tasks into, with a color."""

    __tablename__ = "categories"
    __table_args__ = (UniqueConstraint("account_id", "name"), Owned.__table_args__)
    called = "category"

    name: Mapped[str] = mapped_column(String(100))
    color: Mapped[str] = mapped_column(String(7), default=GRAY)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
