"""Whether the database answers, for balancers that ask."""

from concurrent.futures import Future, ThreadPoolExecutor

from db.sql.engine import ping


class _Look:
    # One at a time, however many ask: while a database hangs, the look at it keeps its thread.
    thread = ThreadPoolExecutor(1)
    last: Future[None] | None = None


def is_ready(within_seconds: float) -> bool:
    """Check whether the database answers in time; at once no, while an earlier look still waits for it."""
    if _Look.last is not None and not _Look.last.done():
        return False
    _Look.last = _Look.thread.submit(ping)
    try:
        _Look.last.result(within_seconds)
    except Exception:  # noqa: BLE001 (whatever it is, the database is not ready)
        return False
    return True
