"""Days in an account's time zone, and the streaks, weeks and months that they form."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)


def zone_of(preferences: Mapping[str, Any]) -> ZoneInfo:
    """Return an account's time zone: `timezone` of its preferences, or else UTC."""
    try:
        return ZoneInfo(preferences.get("timezone") or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # It was checked when it was set, but time zones are renamed and removed over the years.
        return ZoneInfo("UTC")


def day_at(at: datetime, zone: ZoneInfo) -> date:
    """Return the day that an instant lies in, in a time zone."""
    return at.astimezone(zone).date()


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """Return when a day ends in a time zone, after 23, 24 or 25 hours: the first instant of the next day, in UTC."""
    return datetime.combine(day + DAY, time(), zone).astimezone(UTC)


def streaks(days: Iterable[date]) -> tuple[int, int]:
    """Return the lengths of the longest and of the last run of consecutive days; the days come in order, each once."""
    longest = run = 0
    before: date | None = None
    for day in days:
        run = run + 1 if before is not None and day - before == DAY else 1
        longest = max(longest, run)
        before = day
    return longest, run


def day_of(day: date) -> date:
    """Return the day itself: what `week_of` is for weeks."""
    return day


def last_days(today: date, count: int) -> list[date]:
    """List today and the days before it."""
    return [today - number * DAY for number in range(count)]


def last_weeks(today: date, count: int) -> list[date]:
    """List the Monday of this week and those of the weeks before it (ISO 8601: weeks begin on Monday)."""
    return [week_of(today) - number * WEEK for number in range(count)]


def last_months(today: date, count: int) -> list[date]:
    """List the first day of this month and those of the months before it."""
    months = [today.year * 12 + today.month - 1 - number for number in range(count)]
    return [date(month // 12, month % 12 + 1, 1) for month in months]


def week_of(day: date) -> date:
    """Return the Monday of a day's week."""
    return day - day.weekday() * DAY


def month_of(day: date) -> date:
    """Return the first day of a day's month."""
    return day.replace(day=1)
