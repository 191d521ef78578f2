"""How instants, days and white space are written in every contract, and how members are renamed."""

from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

WHITE_SPACE = (
    "\t\n\v\f\r \u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a"
    "\u2028\u2029\u202f\u205f\u3000\ufeff"
)
"""What the contracts mean by white space: ECMA 262's, which differs from Python's in U+001C to U+001F, 85 and FEFF."""


def trimmed(text: str) -> str:
    """Take the white space off both ends. What a contract says is not white space alone has something left."""
    return text.strip(WHITE_SPACE)


def renamed(body: Mapping[str, Any], members: Mapping[str, str]) -> dict[str, Any]:
    """Take those of a contract's members that were sent, under the model's names; all others stay out."""
    return {name: body[member] for member, name in members.items() if member in body}


def instant(text: str) -> datetime:
    """Read an RFC 3339 instant, in UTC. Raises `ValueError`, or `OverflowError` where UTC has no such year."""
    return datetime.fromisoformat(text.upper()).astimezone(UTC)


def instant_json(at: datetime) -> str:
    """Write an instant as all contracts show it: UTC, six digits of fraction and `Z`."""
    return f"{at.isoformat(timespec='microseconds')[:-6]}Z"


def optional_instant_json(at: datetime | None) -> str | None:
    """Write an instant, or None where there is none."""
    return None if at is None else instant_json(at)


def day_json(on: date | None) -> str | None:
    """Write a day as YYYY-MM-DD, or None where there is none."""
    return None if on is None else on.isoformat()


def due_day_json(due_at: datetime | None) -> str | None:
    """Write the UTC day of an instant as YYYY-MM-DD, or None where there is none."""
    return None if due_at is None else due_at.date().isoformat()
