"""Reads that may be a moment old: from a replica that is well, and else from the primary, whatever is wrong."""

import asyncio
import socket
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

import pytest
from sqlalchemy import make_url, text, update

from db.accounts.accounts import Account
from db.focus.leaderboards import BY_SESSIONS, read_leaderboard, summarize
from db.focus.stats import FocusStats
from db.membership import join
from db.schema import migrate
from db.sql import replicas, watch
from db.sql.engine import autocommit, transaction
from db.sql.urls import driver_url
from tests.db.conftest import engines_of_its_own, on_loop

pytestmark = pytest.mark.on("postgresql")

MORNING = datetime(2026, 3, 2, 8, tzinfo=UTC)
OLD, NEW = 7, 9


class Pair(NamedTuple):
    """A database, a copy of it as it was a moment ago, and two accounts that both have."""

    primary: str
    replica: str
    maya: int
    noah: int


@pytest.fixture(scope="module")
def pair(new_database: Callable[[str], str], base_url: str) -> Pair:
    """Two accounts of which the copy knows `OLD` sessions each, and the database itself `NEW` ones of noah's."""
    url = new_database("primary")
    with engines_of_its_own(url) as own:
        migrate(own)
        maya, noah = (open_account(name) for name in ("maya", "noah"))
        set_sessions(OLD, maya, noah)
    name = f"{driver_url(url).database}_copy"
    with autocommit() as connection:
        connection.execute(text(f"CREATE DATABASE {name} TEMPLATE {driver_url(url).database}"))
    with engines_of_its_own(url):
        set_sessions(NEW, noah)
    return Pair(url, make_url(url).set(database=name).render_as_string(hide_password=False), maya, noah)


def open_account(name: str) -> int:
    with transaction() as session:
        return join(session, username=name, email=f"{name}@q.example", password_hash="-", at=MORNING).id


def set_sessions(count: int, *accounts: int) -> None:
    with transaction() as session:
        session.execute(update(FocusStats).where(FocusStats.account_id.in_(accounts)).values(total_sessions=count))


@pytest.fixture(autouse=True)
def well(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Let the replica be held to a mark that it has passed."""

    class State(replicas._State):
        mark, marked_at = 0, float("inf")

    monkeypatch.setattr(replicas, "_State", State)
    return State


def figures_as_seen_by(owner: int) -> list[int]:
    with autocommit() as connection:
        board = read_leaderboard(connection, BY_SESSIONS, owner=owner, limit=10)
    return [row.figure for _, row in board.ranked]


def seen(primary: str, replica: str, *owners: int) -> list[list[int]]:
    """Read the leaderboard as these accounts, one after the other, from the event loop."""
    with engines_of_its_own(primary, replica_url=replica):
        return asyncio.run(on_loop(lambda: [figures_as_seen_by(owner) for owner in owners]))


def test_others_figures_come_from_the_replica(pair: Pair):
    assert seen(pair.primary, pair.replica, pair.maya) == [[OLD, OLD]]


def test_ones_own_figure_is_never_old(pair: Pair):
    assert seen(pair.primary, pair.replica, pair.noah) == [[NEW, OLD]]


def test_the_summary_comes_from_the_replica(pair: Pair):
    def accounts() -> int:
        with autocommit() as connection:
            return summarize(connection, at=MORNING).totals.accounts

    with engines_of_its_own(pair.primary):
        later = open_account("olga")
    try:
        with engines_of_its_own(pair.primary, replica_url=pair.replica):
            assert asyncio.run(on_loop(accounts)) == 2
    finally:
        with engines_of_its_own(pair.primary), transaction() as session:
            session.delete(session.get_one(Account, later))


def test_without_a_replica_all_comes_from_the_primary(pair: Pair):
    assert seen(pair.primary, "", pair.maya) == [[NEW, OLD]]


def test_a_replica_counts_once_there_is_a_mark_to_hold_it_to(pair: Pair, well: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(replicas, "MARKED_EVERY_SECONDS", 0)
    well.mark, well.marked_at = None, float("-inf")

    assert seen(pair.primary, pair.replica, pair.maya, pair.maya) == [[NEW, OLD], [OLD, OLD]]


def test_a_replica_that_is_behind_is_passed_over(pair: Pair, well: Any, monkeypatch: pytest.MonkeyPatch):
    # A copy replays no log, so what a standby says is said for it.
    monkeypatch.setattr(replicas, "_REPLAYED", text("SELECT 41"))
    well.mark = 42

    assert seen(pair.primary, pair.replica, pair.maya) == [[NEW, OLD]]
    assert well.passed_over_until > 0


@pytest.fixture
def nobody() -> Iterator[str]:
    """A place where nobody listens."""
    with socket.socket() as unheard:
        unheard.bind(("127.0.0.1", 0))
        yield f"postgresql://maya@127.0.0.1:{unheard.getsockname()[1]}/quintet"


@pytest.fixture
def silent() -> Iterator[str]:
    """A place where connections are accepted, and nothing is ever said."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"postgresql://maya@127.0.0.1:{listener.getsockname()[1]}/quintet?sslmode=disable"


@pytest.mark.parametrize("place", ["nobody", "silent"])
def test_a_replica_that_does_not_answer_is_passed_over(
    pair: Pair, well: Any, place: str, request: pytest.FixtureRequest
):
    assert seen(pair.primary, request.getfixturevalue(place), pair.maya) == [[NEW, OLD]]
    assert well.passed_over_until > 0
    assert not watch.is_silent()


def test_a_replica_that_hangs_in_the_midst_of_it_is_passed_over(pair: Pair, well: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(replicas, "_REPLAYED", text("SELECT pg_sleep(60)"))

    assert seen(pair.primary, pair.replica, pair.maya) == [[NEW, OLD]]
    assert well.passed_over_until > 0
    assert not watch.is_silent()


def test_a_replica_that_is_passed_over_is_not_asked(pair: Pair, well: Any):
    well.passed_over_until = float("inf")

    assert seen(pair.primary, pair.replica, pair.maya) == [[NEW, OLD]]
