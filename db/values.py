"""From the members of a request's body to the values of a model."""

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any


def members_of(body: Mapping[str, Any], names: Iterable[str]) -> dict[str, Any]:
    """Take the members of these names that were sent; a member that was not sent stays out."""
    return {name: body[name] for name in names if name in body}


def day(text: str | None) -> date | None:
    """Read a day written as YYYY-MM-DD, or none."""
    return None if text is None else date.fromisoformat(text)


def day_json(on: date | None) -> str | None:
    """Write a day as YYYY-MM-DD, or none."""
    return None if on is None else on.isoformat()
