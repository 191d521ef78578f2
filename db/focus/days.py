"""Days in an account's time zone, and what can be counted in them: streaks, weeks, months."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)


def zone_of(preferences: Mapping[str, Any]) -> ZoneInfo:
    """Tell an account's time zone: `timezone` of its preferences, or else UTC."""
    try:
        return ZoneInfo(preferences.get("timezone") or "UTC")
    except (ZoneInfoNotFoundError, ValueError, OSError):
        # It was checked when it was set; zones are renamed and dropped all the same.
        return ZoneInfo("UTC")


def day_at(at: datetime, zone: ZoneInfo) -> date:
    """Tell which day it is in a zone."""
    return at.astimezone(zone).date()


def end_of(day: date, zone: ZoneInfo) -> datetime:
    """Tell when a day is over in a zone, after 23, 24 or 25 hours: the first moment of the next."""
    return datetime.combine(day + DAY, time(), zone).astimezone(UTC)


def streaks(days: Iterable[date]) -> tuple[int, int]:
    """Count the longest and the last run of days in a row; the days come in order, each once."""
    longest = run = 0
    before: date | None = None
    for day in days:
        run = run + 1 if before is not None and day - before == DAY else 1
        longest = max(longest, run)
        before = day
    return longest, run


def day_of(day: date) -> date:
    """Tell the day of a day, as `week_of` tells its week."""
    return day


def last_days(today: date, count: int) -> list[date]:
    """List today and the days before it."""
    return [today - number * DAY for number in range(count)]


def last_weeks(today: date, count: int) -> list[date]:
    """List the Monday of this week and those before it (ISO 8601: weeks begin on Monday)."""
    return [week_of(today) - number * WEEK for number in range(count)]


def last_months(today: date, count: int) -> list[date]:
    """List the first of this month and those before it."""
    months = [today.year * 12 + today.month - 1 - number for number in range(count)]
    return [date(month // 12, month % 12 + 1, 1) for month in months]


def week_of(day: date) -> date:
    """Tell the Monday of a day's week."""
    return day - day.weekday() * DAY


def month_of(day: date) -> date:
    """Tell the first of a day's month."""
    return day.replace(day=1)
