"""Statistics that are kept, held equal to those that are worked out from the sessions."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import NamedTuple
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from db.accounts.accounts import Account
from db.focus.days import DAY, end_of
from db.focus.leaderboards import BY_FOCUS_TIME, BY_SESSIONS, BY_STREAK
from db.focus.sessions import FocusSession, Plant, add_plant, change_session, remove_plant
from db.focus.standings import SHARDS, accounts_above, read_totals
from db.focus.stats import FocusDay, FocusStats, current_streak, keeping_stats, level, minute_of
from db.membership import join, leave
from db.sql.engine import autocommit, transaction
from db.sql.ownership import add, find_owned
from tests.conftest import HANGS_AFTER

ZONES = ("UTC", "Europe/Berlin", "America/Santiago", "Pacific/Kiritimati", "Pacific/Pago_Pago")
numbers = count(1)

waits = st.tuples(st.just("wait"), st.integers(0, 50))
moves = st.tuples(st.just("move"), st.sampled_from(ZONES))
focuses = st.tuples(st.just("focus"), st.integers(0, 1440))
deeds = st.tuples(st.sampled_from(["plant", "uproot", "delete"]), st.integers(0, 20))
histories = st.lists(st.one_of(waits, waits, moves, focuses, focuses, deeds), max_size=25)


class Done(NamedTuple):
    """A completed session as it is expected to be."""

    day: date
    minutes: int
    day_ends_at: datetime


@dataclass
class Life:
    """An account that lives through a history, and what a plain recomputation expects of it."""

    account_id: int
    at: datetime = datetime(2026, 3, 27, 20, 30, tzinfo=UTC)
    zone: str = "UTC"
    done: dict[UUID, Done] = field(default_factory=dict)
    plants: dict[UUID, UUID] = field(default_factory=dict)

    def live(self, history: list[tuple[str, int | str]]) -> None:
        for deed, what in history:
            getattr(self, deed)(what)

    def wait(self, hours: int) -> None:
        self.at += timedelta(hours=hours)

    def move(self, zone: str) -> None:
        self.zone = zone
        with transaction() as session:
            session.get_one(Account, self.account_id).preferences = {"timezone": zone}

    def focus(self, minutes: int) -> None:
        day = self.today
        with transaction() as session, keeping_stats(session, owner=self.account_id) as stats:
            focus = add(session, FocusSession, {}, owner=self.account_id, at=self.at)
            changes = {"completed": True, "actual_duration_min": minutes}
            change_session(stats, focus.id, changes, at=self.at)
        room = 1440 - sum(one.minutes for one in self.done.values() if one.day == day)
        self.done[focus.id] = Done(day, min(minutes, room), end_of(day, ZoneInfo(self.zone)))

    def delete(self, which: int) -> None:
        for session_id in list(self.done)[which : which + 1]:
            with transaction() as session, keeping_stats(session, owner=self.account_id) as stats:
                find_owned(session, FocusSession, session_id, owner=self.account_id).remove(stats, at=self.at)
            del self.done[session_id]
            self.plants.pop(session_id, None)

    def plant(self, which: int) -> None:
        for session_id in [one for one in self.done if one not in self.plants][which : which + 1]:
            with transaction() as session, keeping_stats(session, owner=self.account_id) as stats:
                focus = find_owned(session, FocusSession, session_id, owner=self.account_id)
                self.plants[session_id] = add_plant(focus, {"plant_type": "Fern"}, stats=stats, at=self.at).id

    def uproot(self, which: int) -> None:
        for session_id, plant_id in list(self.plants.items())[which : which + 1]:
            with transaction() as session, keeping_stats(session, owner=self.account_id) as stats:
                remove_plant(find_owned(session, Plant, plant_id, owner=self.account_id), stats)
            del self.plants[session_id]

    @property
    def today(self) -> date:
        return self.at.astimezone(ZoneInfo(self.zone)).date()

    @property
    def days(self) -> dict[date, tuple[int, int]]:
        days: dict[date, tuple[int, int]] = {}
        for one in self.done.values():
            minutes, sessions = days.get(one.day, (0, 0))
            days[one.day] = (minutes + one.minutes, sessions + 1)
        return days

    def run_to(self, day: date) -> int:
        return self.run_to(day - DAY) + 1 if day in self.days else 0


def born() -> Life:
    name = f"life{next(numbers)}-{datetime.now(UTC).timestamp()}"
    with transaction() as session:
        account = join(session, username=name, email=f"{name}@x.y", password_hash="-", at=datetime.now(UTC))
    return Life(account.id)


@pytest.mark.usefixtures("base_url")
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=histories)
def test_kept_statistics_are_those_worked_out_from_the_sessions(history: list[tuple[str, int | str]]):
    life = born()

    life.live(history)

    with transaction() as session:
        hold_stats(session, life)
        hold_days(session, life)
        hold_standings(session, life)
        hold_totals(session)
        leave(session, life.account_id)
        hold_totals(session)


def hold_stats(session: Session, life: Life) -> None:
    stats = session.get_one(FocusStats, life.account_id)
    assert stats.total_focus_min == sum(one.minutes for one in life.done.values())
    assert stats.total_sessions == len(life.done)
    assert stats.plant_count == len(life.plants)
    assert stats.best_streak == max((life.run_to(day) for day in life.days), default=0)
    assert stats.last_day == max(life.days, default=None)
    assert stats.active_until == max((one.day_ends_at for one in life.done.values()), default=None)
    current = life.run_to(life.today) or life.run_to(life.today - DAY)
    assert current_streak(session.connection(), stats, today=life.today) == current


def hold_days(session: Session, life: Life) -> None:
    days = session.scalars(select(FocusDay).where(FocusDay.account_id == life.account_id))
    assert {one.day: (one.focus_min, one.sessions_completed) for one in days} == life.days
    kept = session.scalars(select(FocusSession).where(FocusSession.account_id == life.account_id))
    assert {one.id: (one.completed_on, one.focus_min) for one in kept} == {
        session_id: (one.day, one.minutes) for session_id, one in life.done.items()
    }


def hold_standings(session: Session, life: Life) -> None:
    stats = session.get_one(FocusStats, life.account_id)
    everybody = session.scalars(select(FocusStats)).all()
    for board in (BY_FOCUS_TIME, BY_SESSIONS, BY_STREAK):
        values = [getattr(one, board.figure.key) for one in everybody]
        for value in (0, getattr(stats, board.figure.key), 255, 256, 5000):
            above = accounts_above(session.connection(), board.name, value)
            assert above == sum(one > value for one in values)
    active = sum(one.active_until is not None and one.active_until > life.at for one in everybody)
    assert accounts_above(session.connection(), "active_until", minute_of(life.at)) == active


def hold_totals(session: Session) -> None:
    figures = (FocusStats.total_focus_min, FocusStats.total_sessions, FocusStats.plant_count)
    plain = session.execute(select(func.count(), *[func.coalesce(func.sum(one), 0) for one in figures])).one()
    assert read_totals(session.connection()) == tuple(plain)


@pytest.mark.usefixtures("base_url")
@pytest.mark.on("postgresql")
def test_the_first_sessions_of_the_day_of_two_accounts_do_not_wait_for_each_other():
    one, other = born(), born()
    assert one.account_id % SHARDS != other.account_id % SHARDS

    with transaction() as session, ThreadPoolExecutor(1) as thread:
        with keeping_stats(session, owner=one.account_id) as stats:
            focus = add(session, FocusSession, {}, owner=one.account_id, at=one.at)
            change_session(stats, focus.id, {"completed": True, "actual_duration_min": 25}, at=one.at)
        # All is written and locked, and not yet committed; whoever waited for it would be ended.
        thread.submit(other.focus, 25).result(HANGS_AFTER)

    with transaction() as session:
        hold_standings(session, other)
        hold_totals(session)


@pytest.mark.parametrize(
    ("minutes", "expected"), [(0, 1), (49, 1), (199, 1), (200, 2), (1250, 5), (3200, 8), (4999, 9), (5000, 10)]
)
def test_levels_begin_at_fifty_times_their_square(minutes: int, expected: int):
    assert level(minutes) == expected


@pytest.mark.usefixtures("base_url")
def test_a_day_ahead_after_a_move_to_the_west_leaves_yesterdays_streak_alone():
    life = born()
    life.live(
        [("move", "Pacific/Kiritimati"), ("focus", 10), ("wait", 48), ("focus", 10), ("move", "Pacific/Pago_Pago")]
    )

    with autocommit() as connection:
        stats = connection.execute(select(FocusStats.__table__).where(FocusStats.account_id == life.account_id)).one()
        streak = current_streak(connection, stats, today=life.today)

    assert stats.last_day > life.today
    assert streak == 1
    with transaction() as session:
        leave(session, life.account_id)
