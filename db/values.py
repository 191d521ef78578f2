"""From the members of a request's body to the values of a model."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime
from typing import Any

from db.sql.types import end_of_day

WHITE_SPACE = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What the contracts mean by white space: ECMA 262's, which differs from Python's in U+001C to U+001F, 85 and FEFF."""


def trimmed(text: str) -> str:
    """Take the white space off both ends. What a contract says is not white space alone has something left."""
    return text.strip(WHITE_SPACE)


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
