"""The one clock: everybody calls `clock.now()`, so that tests stop it in one place."""

from datetime import UTC, datetime


def now() -> datetime:
    """Read the clock: this moment, in UTC. Only handlers and the server do; rules get the time passed in."""
    return datetime.now(UTC)
