"""Replicas: what may be a moment old is read from them, where there are any, and else from the primary.

A replica that is away, hangs, or is more than some seconds behind is passed over, and nobody waits for it twice: for
`PASSED_OVER_SECONDS` all is read from the primary. How far behind it is, is measured without clocks: the primary says
now and then how far its write-ahead log goes, and a replica has to have replayed what the primary had written when it
was asked the time before.
"""

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic
from typing import TypeVar

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import SQLAlchemyError

from db.sql.engine import replica_here
from db.sql.watch import in_use

PASSED_OVER_SECONDS = 5
MARKED_EVERY_SECONDS = 5
"""A replica is behind by no more than twice this, or else not asked."""

Result = TypeVar("Result")

# Places in the log are compared as numbers of bytes, which all drivers know.
_PLACE = "CAST(pg_wal_lsn_diff({}, '0/0') AS bigint)"
_WRITTEN = text(
    f"SELECT CASE WHEN pg_is_in_recovery() THEN {_PLACE.format('pg_last_wal_replay_lsn()')}"
    f" ELSE {_PLACE.format('pg_current_wal_lsn()')} END"
)
_REPLAYED = text(f"SELECT {_PLACE.format('pg_last_wal_replay_lsn()')}")

_log = logging.getLogger(__name__)


class _State:
    passed_over_until = 0.0
    mark: int | None = None
    next_mark: int | None = None
    marked_at = float("-inf")


def read_a_moment_old(
    primary: Connection, read: Callable[[Connection], Result], *, fits: Callable[[Connection], bool] | None = None
) -> Result:
    """Read from a replica what may be some seconds old, or from the primary where no replica is well.

    `fits` is asked on the replica first, in the same transaction: whether it has what this reader has to see.
    """
    engine = replica_here()
    if engine is None or monotonic() < _State.passed_over_until or not _marked(primary):
        return read(primary)
    try:
        with _snapshot(engine) as replica:
            if _is_behind(replica):
                _pass_over("it is behind")
            elif fits is None or fits(replica):
                return read(replica)
    except (SQLAlchemyError, OSError) as error:
        _pass_over(type(error).__name__)
    return read(primary)


@contextmanager
def _snapshot(engine: Engine) -> Iterator[Connection]:
    # One transaction, for behind a balancer or a pooler the next statement may come to another replica.
    with engine.execution_options(isolation_level="REPEATABLE READ").connect() as connection:
        driver = connection.connection.driver_connection
        in_use[driver] = monotonic()
        try:
            yield connection
        finally:
            in_use.pop(driver, None)


def _pass_over(reason: str) -> None:
    _log.warning("Replicas are passed over for %s s: %s", PASSED_OVER_SECONDS, reason)
    _State.passed_over_until = monotonic() + PASSED_OVER_SECONDS


def _is_behind(replica: Connection) -> bool:
    replayed = replica.execute(_REPLAYED).scalar()
    # A primary in a replica's place has nothing to replay.
    return replayed is not None and _State.mark is not None and replayed < _State.mark


def _marked(primary: Connection) -> bool:
    """Ask the primary how far its log goes, when it is time to; return whether there is a mark to hold replicas to."""
    if monotonic() - _State.marked_at >= MARKED_EVERY_SECONDS:
        _State.marked_at = monotonic()
        _State.mark, _State.next_mark = _State.next_mark, primary.execute(_WRITTEN).scalar()
    return _State.mark is not None
