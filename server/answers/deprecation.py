"""Notices of deprecation: since when an operation should not be used, and until when it is served."""

from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from typing import Any

from server.answers.answers import Headers


def deprecation_notices(definition: Mapping[str, Any]) -> Headers:
    """Return the headers `Deprecation` (RFC 9745) and `Sunset` (RFC 8594) of an operation's answers.

    The contract says the days as `x-deprecated-on` and `x-sunset-on`; each begins at midnight UTC.
    """
    notices: Headers = []
    if "x-deprecated-on" in definition:
        since = int(_midnight(definition["x-deprecated-on"]).timestamp())
        notices.append((b"deprecation", b"@%d" % since))
    if "x-sunset-on" in definition:
        until = format_datetime(_midnight(definition["x-sunset-on"]), usegmt=True)
        notices.append((b"sunset", until.encode()))
    return notices


def _midnight(day: str) -> datetime:
    return datetime.combine(date.fromisoformat(day), time(), UTC)
