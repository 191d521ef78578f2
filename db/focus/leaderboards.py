"""Leaderboards: the accounts with the highest figures, and the rank of one's own."""

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, select

from db.accounts.accounts import Account
from db.errors import AccountGone
from db.focus.standings import accounts_above, read_totals
from db.focus.stats import FocusStats


class Board(NamedTuple):
    """A figure that accounts are ranked by, and the name under which the standings count it."""

    name: str
    figure: Any


BY_FOCUS_TIME = Board("focus_min", FocusStats.total_focus_min)
BY_SESSIONS = Board("sessions", FocusStats.total_sessions)
BY_STREAK = Board("best_streak", FocusStats.best_streak)


class Leaderboard(NamedTuple):
    """The ranks and rows (uuid, username, total_focus_min, figure) of the top accounts, and the rank of one's own."""

    ranked: Sequence[tuple[int, Any]]
    own_rank: int
    account_count: int


def read_leaderboard(connection: Connection, board: Board, *, owner: int, limit: int) -> Leaderboard:
    """Read the top of a board and the rank of an account. Raises `AccountGone`.

    A rank is one more than the number of accounts with a greater figure, so accounts with equal figures share a rank.
    """
    own = connection.scalar(select(board.figure).where(FocusStats.account_id == owner))
    if own is None:
        raise AccountGone
    return Leaderboard(
        ranked=list(_ranked(connection.execute(top_of(board, limit)).all())),
        own_rank=1 + accounts_above(connection, board.name, own),
        account_count=read_totals(connection).accounts,
    )


def top_of(board: Board, limit: int) -> Select[*tuple[Any, ...]]:
    """Select the accounts at the top of a board; among equals, the older account comes first."""
    columns = (Account.uuid, Account.username, FocusStats.total_focus_min, board.figure.label("figure"))
    rows = select(*columns).join(Account, Account.id == FocusStats.account_id)
    return rows.order_by(board.figure.desc(), FocusStats.account_id).limit(limit)


def _ranked(rows: Sequence[Any]) -> Iterator[tuple[int, Any]]:
    rank = 0
    for place, row in enumerate(rows, start=1):
        if place == 1 or row.figure != rows[place - 2].figure:
            rank = place
        yield rank, row
