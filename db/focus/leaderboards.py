"""Leaderboards and the summary: the accounts with the highest figures, the rank of one's own, and all together."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, select

from db.accounts.accounts import Account
from db.errors import AccountGone
from db.focus.standings import accounts_above, read_totals
from db.focus.stats import FocusStats, count_active
from db.sql.replicas import read_a_moment_old


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


class Summary(NamedTuple):
    """The totals over all accounts (accounts, focus_min, sessions, plants), and how many were active today."""

    totals: Any
    active: int


def read_leaderboard(connection: Connection, board: Board, *, owner: int, limit: int) -> Leaderboard:
    """Read the top of a board and the rank of an account. Raises `AccountGone`.

    A rank is one more than the number of accounts with a greater figure, so accounts with equal figures share a rank.
    What others have may be a moment old, but never what the account itself has: a replica is read only when it holds
    the account's own row as the primary does.
    """
    own = _own_row(connection, board, owner)
    if own is None:
        raise AccountGone
    return read_a_moment_old(
        connection,
        lambda where: _leaderboard(where, board, own.figure, limit),
        fits=lambda replica: _own_row(replica, board, owner) == own,
    )


def summarize(connection: Connection, *, at: datetime) -> Summary:
    """Read the totals over all accounts, which may be a moment old."""
    return read_a_moment_old(connection, lambda where: Summary(read_totals(where), count_active(where, at=at)))


def _own_row(connection: Connection, board: Board, owner: int) -> Any:
    return connection.execute(_rows_of(board).where(FocusStats.account_id == owner)).first()


def _leaderboard(connection: Connection, board: Board, own_figure: int, limit: int) -> Leaderboard:
    return Leaderboard(
        ranked=list(_ranked(connection.execute(top_of(board, limit)).all())),
        own_rank=1 + accounts_above(connection, board.name, own_figure),
        account_count=read_totals(connection).accounts,
    )


def top_of(board: Board, limit: int) -> Select[*tuple[Any, ...]]:
    """Select the accounts at the top of a board; among equals, the older account comes first."""
    return _rows_of(board).order_by(board.figure.desc(), FocusStats.account_id).limit(limit)


def _rows_of(board: Board) -> Select[*tuple[Any, ...]]:
    columns = (Account.uuid, Account.username, FocusStats.total_focus_min, board.figure.label("figure"))
    return select(*columns).join(Account, Account.id == FocusStats.account_id)


def _ranked(rows: Sequence[Any]) -> Iterator[tuple[int, Any]]:
    rank = 0
    for place, row in enumerate(rows, start=1):
        if place == 1 or row.figure != rows[place - 2].figure:
            rank = place
        yield rank, row
