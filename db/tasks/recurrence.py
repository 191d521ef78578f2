"""Recurrence: when a task that repeats is due again."""

from calendar import monthrange
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, ForeignKey
from sqlalchemy.orm import Mapped, mapped_column

from db.sql.types import Base, Id, Ranked

PATTERN_TYPES = ("daily", "weekly", "monthly", "yearly")


class RecurrencePattern(Base):
    """How a task repeats. Each occurrence has a pattern of its own, which knows the number of the occurrence."""

    __tablename__ = "recurrence_patterns"
    __table_args__ = (
        CheckConstraint("pattern_type BETWEEN 1 AND 4", "pattern_type_known"),
        CheckConstraint("interval >= 1", "interval_positive"),
        CheckConstraint("occurrence_number >= 1", "occurrence_number_positive"),
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

    def next_due(self, after: datetime) -> datetime | None:
        """Return when the next occurrence is due, if this one is due at `after`; None when this one is the last."""
        if self.occurrences_count is not None and self.occurrence_number >= self.occurrences_count:
            return None
        due = step(after, self.pattern_type, self.interval)
        return None if due is None or (self.end_at is not None and due > self.end_at) else due

    def change(self, values: Mapping[str, Any]) -> None:
        """Set the given members; the occurrences so far still count."""
        for name, value in values.items():
            setattr(self, name, value)

    def successor(self) -> "RecurrencePattern":
        """Return the pattern of the next occurrence."""
        return RecurrencePattern(
            pattern_type=self.pattern_type,
            interval=self.interval,
            end_at=self.end_at,
            occurrences_count=self.occurrences_count,
            occurrence_number=self.occurrence_number + 1,
        )


def step(instant: datetime, pattern_type: str, interval: int) -> datetime | None:
    """Return the instant `interval` days, weeks, months or years later; None past the year 9999.

    A day that the month does not have becomes the last day of that month.
    """
    try:
        match pattern_type:
            case "daily":
                return instant + timedelta(days=interval)
            case "weekly":
                return instant + timedelta(weeks=interval)
            case "monthly":
                return _months_on(instant, interval)
            case _:
                return _months_on(instant, 12 * interval)
    except (OverflowError, ValueError):
        return None


def _months_on(instant: datetime, months: int) -> datetime:
    year, month_index = divmod(instant.year * 12 + instant.month - 1 + months, 12)
    last_day = monthrange(year, month_index + 1)[1]
    return instant.replace(year=year, month=month_index + 1, day=min(instant.day, last_day))
