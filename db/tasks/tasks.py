"""Tasks: fullstack, tasktracker and todo call them tasks, workspace calls them to-dos."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, Computed, Connection, ForeignKey, Index, String, insert
from sqlalchemy.orm import Mapped, Session, mapped_column, object_session, relationship, validates

from db.sql.listings import Key
from db.sql.ownership import Changing, Owned, defaults_of, listing_of, shown_columns, table_of
from db.sql.prepared import Prepared
from db.sql.types import KEY, Id, LongText, Ranked, by_code_point, end_of_day, folded
from db.tasks.recurrence import RecurrencePattern
from db.tasks.tags import copy_tags, put_tags

STATUSES = ("pending", "in_progress", "completed", "deferred")
PRIORITIES = ("low", "medium", "high")

_PLAIN_MEMBERS = {"title", "description", "priority", "due_at", "category_id"}
"""Members that a change simply sets."""


def _folded(name: str) -> Any:
    # For inserts that do not go through the model; `Task._fold` serves the others.
    return lambda context: folded(context.get_current_parameters().get(name))


class Task(Changing, Owned):
    """A thing to do. A contract that has no word for a member (tags, recurrence, category) leaves it alone."""

    __tablename__ = "tasks"
    __table_args__ = (
        Index("ix_tasks_newest_first", "account_id", "created_at", "id"),
        Index("ix_tasks_of_status_newest_first", "account_id", "status", "created_at", "id"),
        # By category first, for the foreign key.
        Index("ix_tasks_of_category_newest_first", "category_id", "account_id", "created_at", "id"),
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
    category_id: Mapped[int | None] = mapped_column(Id, ForeignKey("categories.id", ondelete="SET NULL"))
    completed_at: Mapped[datetime | None]
    repeated_at: Mapped[datetime | None]
    """When its next occurrence was added: once, however often it is completed and reopened."""
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    title_key: Mapped[str] = mapped_column(
        by_code_point(String(600)), default=_folded("title"), info=KEY, deferred=True
    )
    description_key: Mapped[str | None] = mapped_column(
        by_code_point(LongText()), default=_folded("description"), info=KEY, deferred=True
    )
    undated: Mapped[bool | None] = mapped_column(Computed("due_at IS NULL", persisted=True), info=KEY, deferred=True)
    """Computed by the database; sorted by first, because the two databases put NULL at different ends."""

    recurrence: Mapped[RecurrencePattern | None] = relationship(cascade="all, delete-orphan", passive_deletes=True)

    @validates("title", "description")
    def _fold(self, name: str, text: str | None) -> str | None:
        setattr(self, f"{name}_key", folded(text))
        return text

    def change(self, values: Mapping[str, Any], *, at: datetime) -> None:
        """Set the given members. What a contract shows of a task and is sent back changes nothing.

        `due_on` is the day at whose end the task is due, or None; on the day on which it is due already, it stays due
        at the same instant. `words` are the description, or "" for none; `tags` are names; `recurrence` is the values
        of a pattern, or None. `status` and `completed` come last: the next occurrence copies the members set before.
        """
        given = _in_words_of_model(values, due_at=self.due_at, description=self.description)
        if "due_at" in given:
            self._restart_recurrence_unless_due_on(given["due_at"])
        super().change({name: given[name] for name in _PLAIN_MEMBERS & given.keys()}, at=at)
        if "recurrence" in given:
            self.recur(given["recurrence"], at=at)
        if "tags" in given:
            self._put_tags(given["tags"], at)
        if "status" in given:
            self.move_to(given["status"], at=at)
        if "completed" in given:
            self.mark(completed=given["completed"], at=at)

    def move_to(self, status: str, *, at: datetime) -> None:
        """Set the status. Completing again keeps the first instant of completion."""
        if status == "completed":
            self.complete(at)
        else:
            super().change({"status": status, "completed_at": None}, at=at)

    def complete(self, at: datetime) -> None:
        """Complete the task; a recurring task adds its next occurrence, once."""
        if self.status == "completed":
            return
        super().change({"status": "completed", "completed_at": at}, at=at)
        if self.recurrence is not None and self.repeated_at is None:
            self._repeat(self.recurrence, at)

    def mark(self, *, completed: bool | None, at: datetime) -> None:
        """Complete or reopen the task; None toggles. Reopening a task that is not completed keeps its status."""
        if completed is None:
            completed = self.status != "completed"
        if completed:
            self.complete(at)
        elif self.status == "completed":
            self.move_to("pending", at=at)

    def recur(self, values: Mapping[str, Any] | None, *, at: datetime) -> None:
        """Set the pattern by which the task repeats, or change its values; None removes it."""
        if values is None or self.recurrence is None:
            # The task may be completed, and occur again, before the database fills in any default.
            recurrence = values and RecurrencePattern(**values, occurrence_number=1)
            super().change({"recurrence": recurrence}, at=at)
        elif self.recurrence.change(values):
            self.updated_at = at

    def _restart_recurrence_unless_due_on(self, due_at: datetime | None) -> None:
        is_same_day = self.due_at is not None and due_at is not None and self.due_at.date() == due_at.date()
        if not is_same_day and self.recurrence is not None:
            self.recurrence.begin_anew()

    def _repeat(self, recurrence: RecurrencePattern, at: datetime) -> None:
        due_before = self.due_at or at
        due_at = recurrence.next_due(due_before)
        if due_at is None:
            return
        self.repeated_at = at
        following = self._following(recurrence.successor(due_before), due_at, at)
        session = self._session()
        session.add(following)
        session.flush()
        copy_tags(session, self.id, following.id)

    def _following(self, recurrence: RecurrencePattern, due_at: datetime, at: datetime) -> "Task":
        return Task(
            account_id=self.account_id,
            title=self.title,
            description=self.description,
            priority=self.priority,
            due_at=due_at,
            category_id=self.category_id,
            recurrence=recurrence,
            created_at=at,
            updated_at=at,
        )

    def _put_tags(self, names: Sequence[str], at: datetime) -> None:
        session = self._session()
        session.flush()
        if put_tags(session, self.id, names, owner=self.account_id, at=at):
            self.updated_at = at

    def _session(self) -> Session:
        session = object_session(self)
        # Tasks are found or added before they change.
        assert session is not None  # noqa: S101  # nosec B101
        return session


NEWEST_TASKS_FIRST = listing_of(Task, Key(Task.created_at, descending=True))

_DEFAULTS = defaults_of(Task, "description", "status", "priority", "due_at", "category_id")
_KEYS = ("title_key", "description_key")
_STAMPS = ("uuid", "account_id", "completed_at", "created_at", "updated_at")
_ADD = Prepared(insert(table_of(Task)).returning(*shown_columns(Task)), sets=("title", *_DEFAULTS, *_KEYS, *_STAMPS))


def add_task(connection: Connection, *, owner: int, values: Mapping[str, Any], at: datetime) -> Any:
    """Add a task without tags or recurrence and return its row.

    It is one prepared statement, because this is the most frequent write. `due_on` and `words` are as in `Task.change`.
    """
    given = _DEFAULTS | _in_words_of_model(values)
    completed_at = at if given["status"] == "completed" else None
    keys = {"title_key": folded(given["title"]), "description_key": folded(given["description"])}
    stamps = {"completed_at": completed_at, "created_at": at, "updated_at": at}
    return _ADD.first(connection, **given, **keys, **stamps, uuid=uuid4(), account_id=owner)


def new_task(session: Session, values: Mapping[str, Any], *, owner: int, at: datetime) -> Task:
    """Add a task with any members, tags and recurrence included; the values are those of `Task.change`."""
    task = Task(account_id=owner, created_at=at, updated_at=at)
    session.add(task)
    task.change(values, at=at)
    session.flush()
    return task


def _in_words_of_model(
    values: Mapping[str, Any], *, due_at: datetime | None = None, description: str | None = None
) -> dict[str, Any]:
    # What a contract shows, a day of an instant or no description as "", leaves the member as it is when it comes back.
    given = dict(values)
    if "due_on" in given:
        day = given.pop("due_on")
        given["due_at"] = due_at if due_at is not None and due_at.date() == day else end_of_day(day)
    if "words" in given:
        given["description"] = given.pop("words") or (None if description else description)
    return given
