"""The one task list: workspace calls its rows to-dos, fullstack, tasktracker and todo call them tasks."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, Connection, ForeignKey, Index, String, insert
from sqlalchemy.orm import Mapped, mapped_column, object_session, relationship

from db.labels import Tag, task_tags
from db.ownership import Owned, listing_of, table_of
from db.prepared import Prepared
from db.recurrence import RecurrencePattern
from db.types import Id, LongText, Ranked

STATUSES = ("pending", "in_progress", "completed", "deferred")
PRIORITIES = ("low", "medium", "high")


class Task(Owned):
    """A thing to do. What a contract cannot say of it (tags, recurrence, category) that contract leaves alone."""

    __tablename__ = "tasks"
    __table_args__ = (
        Index("ix_tasks_newest_first", "account_id", "created_at", "id"),
        CheckConstraint("status BETWEEN 1 AND 4", "status_known"),
        CheckConstraint("priority BETWEEN 1 AND 3", "priority_known"),
        CheckConstraint("(status = 3) = (completed_at IS NOT NULL)", "completed_has_instant"),
        Owned.__table_args__,
    )
    called = "task"

    uuid: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(LongText)
    status: Mapped[str] = mapped_column(Ranked(STATUSES), default="pending")
    priority: Mapped[str] = mapped_column(Ranked(PRIORITIES), default="medium")
    due_at: Mapped[datetime | None]
    category_id: Mapped[int | None] = mapped_column(Id, ForeignKey("categories.id", ondelete="SET NULL"), index=True)
    completed_at: Mapped[datetime | None]
    repeated_at: Mapped[datetime | None]
    """When its next occurrence was made: once, however often it is completed and reopened."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    tags: Mapped[list[Tag]] = relationship(secondary=task_tags, order_by=Tag.name, passive_deletes=True)
    recurrence: Mapped[RecurrencePattern | None] = relationship(cascade="all, delete-orphan", passive_deletes=True)

    def change(self, values: Mapping[str, Any], *, at: datetime) -> None:
        """Set the members given; nothing given changes nothing."""
        for name in values.keys() - {"status"}:
            setattr(self, name, values[name])
        if "status" in values:
            # Last, so that a next occurrence carries over what is said together with "completed".
            self.move_to(values["status"], at=at)
        if values:
            self.updated_at = at

    def move_to(self, status: str, *, at: datetime) -> None:
        """Take on a status. Saying "completed" again keeps the first instant of completion."""
        if status == "completed":
            self.complete(at)
        else:
            self.status = status
            self.completed_at = None

    def complete(self, at: datetime) -> None:
        """Be done; a recurring task makes its next occurrence, once."""
        if self.status != "completed":
            self.status = "completed"
            self.completed_at = at
        if self.recurrence is not None and self.repeated_at is None:
            self._repeat(self.recurrence, at)

    def _repeat(self, recurrence: RecurrencePattern, at: datetime) -> None:
        due_at = recurrence.next_due(self.due_at or at)
        session = object_session(self)
        if due_at is None or session is None:
            return
        self.repeated_at = at
        session.add(
            Task(
                account_id=self.account_id,
                title=self.title,
                description=self.description,
                priority=self.priority,
                due_at=due_at,
                category_id=self.category_id,
                tags=list(self.tags),
                recurrence=recurrence.successor(),
                created_at=at,
                updated_at=at,
            )
        )


NEWEST_TASKS_FIRST = listing_of(Task, Task.created_at.desc())

_LEFT_OUT = {"description": None, "status": "pending", "priority": "medium", "due_at": None, "category_id": None}
_STAMPS = ("uuid", "account_id", "completed_at", "created_at", "updated_at")
_ADD = Prepared(insert(table_of(Task)).returning(table_of(Task)), sets=("title", *_LEFT_OUT, *_STAMPS))


def add_task(connection: Connection, *, owner: int, values: Mapping[str, Any], at: datetime) -> Any:
    """Add a task without tags or recurrence, and return its row; one statement, for it is the busiest write."""
    given = {**_LEFT_OUT, **values}
    completed_at = at if given["status"] == "completed" else None
    return _ADD.first(
        connection, **given, uuid=uuid4(), account_id=owner, completed_at=completed_at, created_at=at, updated_at=at
    )
