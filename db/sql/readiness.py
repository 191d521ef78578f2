"""Whether the database answers, for balancers that ask."""

from concurrent.futures import Future, ThreadPoolExecutor
from time import monotonic

from db.sql.engine import ping


class _Look:
    # One at a time, however many ask: while a database hangs, the look at it keeps its thread.
    thread = ThreadPoolExecutor(1)
    last: Future[None] | None = None
    began = 0.0


def is_ready(within_seconds: float) -> bool:
    """Check whether the database answers in time; who asks during a look shares it, and what is left of its time."""
    if _Look.last is None or _Look.last.done():
        _Look.began, _Look.last = monotonic(), _Look.thread.submit(ping)
    try:
        _Look.last.result(_Look.began + within_seconds - monotonic())
    except Exception:  # noqa: BLE001 (whatever it is, the database is not ready)
        return False
    return True
