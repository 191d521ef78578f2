"""From the members of a request's body to the values of a model."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from db.types import end_of_day


def members_of(body: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Take the members of these names that were sent; a member that was not sent stays out."""
    return {name: body[name] for name in names if name in body}


def task_values(body: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Take the members of a task in the words of a contract whose due dates are days: due by the day's end."""
    values = members_of(body, names)
    if "due_date" in body:
        values["due_at"] = end_of_day(day(body["due_date"]))
    return values


def day(text: str | None) -> date | None:
    """Read a day written as YYYY-MM-DD, or none."""
    return None if text is None else date.fromisoformat(text)


def day_json(on: date | None) -> str | None:
    """Write a day as YYYY-MM-DD, or none."""
    return None if on is None else on.isoformat()


def due_day_json(due_at: datetime | None) -> str | None:
    """Write the UTC day of an instant, or none."""
    return due_at and due_at.date().isoformat()
