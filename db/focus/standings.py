"""Standings: counts of accounts by figure, kept so that ranks and totals are read without looking at all accounts.

A rank needs the number of accounts with a greater value. Accounts are counted by value on four levels, in buckets of
1, 256, 65,536 and 16,777,216 values. The accounts above a value are, on each level, those in the buckets that follow
the value's own bucket within their common bucket of the next level. That is at most 255 rows a level, however many
accounts there are. A change of a value only touches the levels on which its bucket changes, so accounts seldom wait for
each other. Values of 0 are not counted.

The counts change in the same transaction as the account's own figures.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, SmallInteger, and_, cast, func, select, union_all
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.sql.constraints import insert_into
from db.sql.ownership import table_of
from db.sql.types import Base, Ranked

BOARDS = ("focus_min", "sessions", "best_streak", "active_until")
LEVELS = 4
BITS = 8
"""A bucket holds 2⁸ = 256 buckets of the level below; four levels hold all values of 32 bits."""

SHARDS = 16
"""The totals are the sums of this many rows, so that not all writers wait for the same row."""


class Figures(NamedTuple):
    """What one account adds to the totals and the standings; all zeros for an account that does not exist."""

    accounts: int = 0
    focus_min: int = 0
    sessions: int = 0
    plants: int = 0
    best_streak: int = 0
    active_until: int = 0
    """When the last day with a completed session ends, in minutes since 1970."""


class StandingCount(Base):
    """How many accounts have a value in a bucket."""

    __tablename__ = "standing_counts"

    board: Mapped[str] = mapped_column(Ranked(BOARDS), primary_key=True, autoincrement=False)
    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    bucket: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    accounts: Mapped[int]


class TotalsShard(Base):
    """One of the `SHARDS` rows that add up to the totals."""

    __tablename__ = "totals"

    shard: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    accounts: Mapped[int]
    focus_min: Mapped[int] = mapped_column(BigInteger)
    sessions: Mapped[int] = mapped_column(BigInteger)
    plants: Mapped[int] = mapped_column(BigInteger)


COUNTS, TOTALS = table_of(StandingCount), table_of(TotalsShard)
SUMMED = ("accounts", "focus_min", "sessions", "plants")


def replace_figures(session: Session, account_id: int, before: Figures, after: Figures) -> None:
    """Replace an account's figures in the counts and the totals by its new ones.

    All transactions change these rows in the same order, so they cannot deadlock on them.
    """
    changed = _changed_counts(before, after)
    if changed:
        session.execute(_adding(session, COUNTS, "board", "level", "bucket"), changed)
    grown = {name: getattr(after, name) - getattr(before, name) for name in SUMMED}
    if any(grown.values()):
        session.execute(_adding(session, TOTALS, "shard"), [{"shard": account_id % SHARDS, **grown}])


def _changed_counts(before: Figures, after: Figures) -> list[dict[str, Any]]:
    steps = Counter[tuple[int, int, int]]()
    for board, name in enumerate(BOARDS):
        steps.subtract((board, *one) for one in _buckets(getattr(before, name)))
        steps.update((board, *one) for one in _buckets(getattr(after, name)))
    return [
        {"board": BOARDS[board], "level": level, "bucket": bucket, "accounts": step}
        for (board, level, bucket), step in sorted(steps.items())
        if step
    ]


def accounts_above(connection: Connection, board: str, value: int) -> int:
    """Count the accounts with a greater value on a board."""
    above = [
        select(func.sum(StandingCount.accounts).label("accounts")).where(
            and_(
                StandingCount.board == board,
                StandingCount.level == level,
                StandingCount.bucket > bucket,
                StandingCount.bucket <= bucket | ((1 << BITS) - 1),
            )
        )
        for level, bucket in enumerate(value >> BITS * level for level in range(LEVELS))
    ]
    levels = union_all(*above).subquery()
    return connection.scalar(select(_total(levels.c.accounts))) or 0


def read_totals(connection: Connection) -> Any:
    """Read the totals over all accounts: accounts, focus_min, sessions and plants."""
    return connection.execute(select(*[_total(TOTALS.c[name]).label(name) for name in SUMMED])).one()


def _buckets(value: int) -> Iterator[tuple[int, int]]:
    return ((level, value >> BITS * level) for level in range(LEVELS if value else 0))


def _adding(session: Session, table: Any, *key: str) -> Any:
    insert = insert_into(session, table)
    sums = {one.name: one + insert.excluded[one.name] for one in table.c if one.name not in key}
    return insert.on_conflict_do_update(index_elements=key, set_=sums)


def _total(column: Any) -> Any:
    # PostgreSQL's sums are numeric, which would be a Decimal in Python.
    return cast(func.coalesce(func.sum(column), 0), BigInteger)
