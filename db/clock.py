from datetime import UTC, datetime


def instant(text: str) -> datetime:
    """Read an RFC 3339 instant and tell it in UTC. Raises `ValueError` or `OverflowError` for none."""
    return datetime.fromisoformat(text.upper()).astimezone(UTC)


def optional_instant(text: str | None) -> datetime | None:
    """Read an instant that may be missing. Raises `ValueError` or `OverflowError` for none."""
    return None if text is None else instant(text)


def instant_json(at: datetime) -> str:
    """Write an instant as all contracts show it: UTC, six digits of fraction and `Z`."""
    return f"{at.isoformat(timespec='microseconds')[:-6]}Z"


def optional_instant_json(at: datetime | None) -> str | None:
    """Write an instant that may be missing."""
    return None if at is None else instant_json(at)
