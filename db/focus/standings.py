"""Standings: counts of accounts by figure, kept so that ranks and totals are read without looking at all accounts.

A rank needs the number of accounts with a greater value. Accounts are counted by value on six levels, in buckets of 1,
64, 4,096 and so on values. The accounts above a value are, on each level, those in the buckets that follow the value's
own bucket within their common bucket of the next level. That is at most 63 buckets a level, however many accounts there
are. A change of a value only touches the levels on which its bucket changes. The first bucket of a level follows none,
so it is not counted. Above all levels stands the total of the values.

Accounts often change the same count: whoever completes the first session of the day in one time zone is active until
the same midnight. So each count is the sum of `SHARDS` rows, and an account changes its own shard's.

The counts change in the same transaction as the account's own figures.
"""

from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, Connection, SmallInteger, and_, bindparam, cast, func, select, union_all
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from db.sql.ownership import table_of
from db.sql.prepared import Prepared
from db.sql.types import Base, Ranked

BITS = 6
"""A bucket holds 2⁶ = 64 buckets of the level below."""

LEVELS = 6
"""So many levels hold all values of 32 bits."""

TOTAL = LEVELS
"""The level of the totals, in the place of a seventh."""

SHARDS = 16


class Figures(NamedTuple):
    """What one account adds to the totals and the standings; all zeros for an account that does not exist."""

    accounts: int = 0
    focus_min: int = 0
    sessions: int = 0
    plants: int = 0
    best_streak: int = 0
    active_until: int = 0
    """When the last day with a completed session ends, in minutes since 1970."""


BOARDS = Figures._fields
RANKED = ("focus_min", "sessions", "best_streak", "active_until")
SUMMED = ("accounts", "focus_min", "sessions", "plants")


class Standing(Base):
    """One shard's part of how many accounts have a value in a bucket, or of a total."""

    __tablename__ = "standings"

    board: Mapped[str] = mapped_column(Ranked(BOARDS), primary_key=True, autoincrement=False)
    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    bucket: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    shard: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    amount: Mapped[int] = mapped_column(BigInteger)


STANDINGS = table_of(Standing)
_KEY = ("board", "level", "bucket", "shard")


def replace_figures(connection: Connection, account_id: int, before: Figures, after: Figures) -> None:
    """Replace an account's figures in the counts and the totals by its new ones.

    It is one statement, and all transactions change these rows in the same order, so they cannot deadlock on them.
    """
    changes = dict(enumerate(_changes(before, after)))
    if not changes:
        return
    shard = account_id % SHARDS
    values = {f"{name}{n}": value for n, one in changes.items() for name, value in one.items()}
    _adding(len(changes)).rows(connection, **values, **{f"shard{n}": shard for n in changes})


def _changes(before: Figures, after: Figures) -> list[dict[str, Any]]:
    steps = Counter[tuple[int, int, int]]()
    for board, name in enumerate(BOARDS):
        was, now = getattr(before, name), getattr(after, name)
        if was == now:
            continue
        if name in SUMMED:
            steps[board, TOTAL, 0] = now - was
        if name in RANKED:
            steps.subtract((board, *one) for one in _buckets(was))
            steps.update((board, *one) for one in _buckets(now))
    return [
        {"board": BOARDS[board], "level": level, "bucket": bucket, "amount": step}
        for (board, level, bucket), step in sorted(steps.items())
        if step
    ]


def _buckets(value: int) -> Iterator[tuple[int, int]]:
    level = 0
    while value:
        yield level, value
        level, value = level + 1, value >> BITS


@cache
def _adding(count: int) -> Prepared:
    rows = [
        {column.name: bindparam(f"{column.name}{n}", type_=column.type) for column in STANDINGS.c} for n in range(count)
    ]
    # SQLite's own `insert` writes the same words.
    new = insert(STANDINGS).values(rows)
    sums = {"amount": STANDINGS.c.amount + new.excluded.amount}
    return Prepared(new.on_conflict_do_update(index_elements=_KEY, set_=sums).returning(STANDINGS.c.shard))


def accounts_above(connection: Connection, board: str, value: int) -> int:
    """Count the accounts with a greater value on a board."""
    above = [
        select(func.sum(Standing.amount).label("accounts")).where(
            and_(
                Standing.board == board,
                Standing.level == level,
                Standing.bucket > bucket,
                Standing.bucket <= bucket | ((1 << BITS) - 1),
            )
        )
        for level, bucket in enumerate(value >> BITS * level for level in range(LEVELS))
    ]
    levels = union_all(*above).subquery()
    return connection.scalar(select(_sum(levels.c.accounts))) or 0


def read_totals(connection: Connection) -> Any:
    """Read the totals over all accounts: accounts, focus_min, sessions and plants."""
    return connection.execute(select(*[_total(name).label(name) for name in SUMMED])).one()


def _total(board: str) -> Any:
    rows = select(_sum(Standing.amount)).where(Standing.board == board, Standing.level == TOTAL)
    return rows.scalar_subquery()


def _sum(column: Any) -> Any:
    # PostgreSQL's sums are numeric, which would be a Decimal in Python.
    return cast(func.coalesce(func.sum(column), 0), BigInteger)
