"""Recurrence: when a task that repeats is due again."""

from calendar import monthrange
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from db.sql.ownership import put
from db.sql.types import Base, Id, Ranked

PATTERN_TYPES = ("daily", "weekly", "monthly", "yearly")


class RecurrencePattern(Base):
    """How a task repeats. Each occurrence has a pattern of its own, which knows the number of the occurrence."""

    __tablename__ = "recurrence_patterns"
    __table_args__ = (
        CheckConstraint("pattern_type BETWEEN 1 AND 4", "pattern_type_known"),
        CheckConstraint("interval >= 1", "interval_positive"),
        CheckConstraint("occurrence_number >= 1", "occurrence_number_positive"),
        CheckConstraint("day_of_month BETWEEN 1 AND 31", "day_of_month_known"),
        {"sqlite_autoincrement": True},
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    uuid: Mapped[UUID] = mapped_column(unique=True, default=uuid4)
    task_id: Mapped[int] = mapped_column(Id, ForeignKey("tasks.id", ondelete="CASCADE"), unique=True)
    pattern_type: Mapped[str] = mapped_column(Ranked(PATTERN_TYPES))
    interval: Mapped[int] = mapped_column(default=1)
    end_at: Mapped[datetime | None]
    occurrences_count: Mapped[int | None]
    occurrence_number: Mapped[int] = mapped_column(default=1)
    day_of_month: Mapped[int | None] = mapped_column(SmallInteger)
    """The day that a monthly or yearly recurrence began with; None while that is the due date's own."""

    def next_due(self, after: datetime) -> datetime | None:
        """Return when the next occurrence is due, if this one is due at `after`; None when this one is the last."""
        if self.occurrences_count is not None and self.occurrence_number >= self.occurrences_count:
            return None
        due = step(after, self.pattern_type, self.interval, day=self.day_of_month)
        return None if due is None or (self.end_at is not None and due > self.end_at) else due

    def change(self, values: Mapping[str, Any]) -> bool:
        """Set the given members, and return whether any of them was different; the occurrences so far still count.

        A pattern of another type begins anew, with the day on which its task is due now.
        """
        changed = put(self, values)
        if "pattern_type" in changed:
            self.begin_anew()
        return bool(changed)

    def begin_anew(self) -> None:
        """Let the recurrence go on from the day of the month on which its task is due now."""
        self.day_of_month = None

    def successor(self, due_at: datetime) -> "RecurrencePattern":
        """Return the pattern of the next occurrence, if this one is due at `due_at`."""
        goes_by_month = self.pattern_type in ("monthly", "yearly")
        return RecurrencePattern(
            pattern_type=self.pattern_type,
            interval=self.interval,
            end_at=self.end_at,
            occurrences_count=self.occurrences_count,
            occurrence_number=self.occurrence_number + 1,
            day_of_month=self.day_of_month or due_at.day if goes_by_month else None,
        )


def step(instant: datetime, pattern_type: str, interval: int, *, day: int | None = None) -> datetime | None:
    """Return the instant `interval` days, weeks, months or years later; None past the year 9999.

    Months and years later it is on this day of the month, or on the same day where none is given. A day that the month
    does not have becomes the last day of that month.
    """
    try:
        match pattern_type:
            case "daily":
                return instant + timedelta(days=interval)
            case "weekly":
                return instant + timedelta(weeks=interval)
            case "monthly":
                return _months_on(instant, interval, day or instant.day)
            case _:
                return _months_on(instant, 12 * interval, day or instant.day)
    except (OverflowError, ValueError):
        return None


def _months_on(instant: datetime, months: int, day: int) -> datetime:
    year, month_index = divmod(instant.year * 12 + instant.month - 1 + months, 12)
    last_day = monthrange(year, month_index + 1)[1]
    return instant.replace(year=year, month=month_index + 1, day=min(day, last_day))
