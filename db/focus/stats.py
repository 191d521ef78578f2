"""Statistics of an account, updated whenever its focus sessions change."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, datetime
from math import isqrt
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

from sqlalchemy import CheckConstraint, Connection, ForeignKey, Index, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.accounts.accounts import Account
from db.errors import AccountGone
from db.focus.days import DAY, streaks, zone_of
from db.focus.standings import Figures, accounts_above, replace_figures
from db.sql.ownership import Row, table_of
from db.sql.prepared import Prepared
from db.sql.types import Base, Id

MOST_MINUTES = 1440
"""The minutes of a day: the most that a session, or a day of an account, can be credited with."""

XP_FOR_A_MINUTE = 1
XP_OF_A_LEVEL = 50
"""Level n begins at 50·n² experience points, as in all examples of the contract."""


def xp(focus_min: int) -> int:
    """Return the experience points for focus minutes."""
    return focus_min * XP_FOR_A_MINUTE


def level(focus_min: int) -> int:
    """Return the level reached with focus minutes, at least 1."""
    return max(1, isqrt(xp(focus_min) // XP_OF_A_LEVEL))


class FocusDay(Base):
    """What an account completed on one day; a day without completed sessions has no row."""

    __tablename__ = "focus_days"
    __table_args__ = (
        CheckConstraint("focus_min BETWEEN 0 AND 1440", "focus_min_in_a_day"),
        CheckConstraint("sessions_completed > 0", "not_empty"),
    )

    account_id: Mapped[int] = mapped_column(
        Id, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    day: Mapped[date] = mapped_column(primary_key=True)
    focus_min: Mapped[int]
    sessions_completed: Mapped[int]


class FocusStats(Base):
    """Totals and streaks of an account's completed sessions; every account has them from the beginning."""

    __tablename__ = "focus_stats"
    __table_args__ = (
        CheckConstraint("total_focus_min >= 0", "total_focus_min_positive"),
        CheckConstraint("total_sessions >= 0", "total_sessions_positive"),
        CheckConstraint("plant_count >= 0", "plant_count_positive"),
    )

    account_id: Mapped[int] = mapped_column(
        Id, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    total_focus_min: Mapped[int] = mapped_column(default=0)
    total_sessions: Mapped[int] = mapped_column(default=0)
    best_streak: Mapped[int] = mapped_column(default=0)
    last_streak: Mapped[int] = mapped_column(default=0)
    """The length, in days, of the streak that ends on `last_day`."""
    last_day: Mapped[date | None]
    active_until: Mapped[datetime | None]
    """When the last of its days with a completed session ends."""
    plant_count: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime]


# Greatest figure first, then the older account: the top of a leaderboard is the beginning of its index.
for column in (FocusStats.total_focus_min, FocusStats.total_sessions, FocusStats.best_streak):
    Index(f"ix_focus_stats_most_{column.key}", column.desc(), FocusStats.account_id)


@dataclass
class KeptStats:
    """An account's statistics while they are changed."""

    session: Session
    zone: ZoneInfo
    account_id: int
    total_focus_min: int
    total_sessions: int
    best_streak: int
    last_streak: int
    last_day: date | None
    active_until: datetime | None
    plant_count: int
    updated_at: datetime

    def credit(self, minutes: int, *, day: date, day_min: int | None, day_ends_at: datetime, at: datetime) -> int:
        """Credit a completed session to a day, up to `MOST_MINUTES` a day, and return the credited minutes.

        `day_min` are the minutes that the day has so far; None before its first session.
        """
        credited = min(minutes, MOST_MINUTES - (day_min or 0))
        _ADD_TO_DAY.first(self.session.connection(), account_id=self.account_id, day=day, focus_min=credited)
        self.total_focus_min += credited
        self.total_sessions += 1
        self.active_until = max(self.active_until or day_ends_at, day_ends_at)
        self.updated_at = at
        if day_min is None:
            self._go_on_streak(day)
        return credited

    def discredit(self, minutes: int, *, day: date, active_until: datetime | None, at: datetime) -> None:
        """Take a session's credit back; the last day of the remaining sessions ends at `active_until`."""
        self.total_focus_min -= minutes
        self.total_sessions -= 1
        self.active_until = active_until
        self.updated_at = at
        kept = self.session.get_one(FocusDay, (self.account_id, day))
        if kept.sessions_completed > 1:
            kept.focus_min -= minutes
            kept.sessions_completed -= 1
        else:
            self.session.delete(kept)
            self._recount_streaks()

    def _go_on_streak(self, day: date) -> None:
        if self.last_day is not None and day < self.last_day:
            # After a move to the west, a day that was already over can come again.
            self._recount_streaks()
            return
        self.last_streak = self.last_streak + 1 if self.last_day == day - DAY else 1
        self.best_streak = max(self.best_streak, self.last_streak)
        self.last_day = day

    def _recount_streaks(self) -> None:
        days = select(FocusDay.day).where(FocusDay.account_id == self.account_id).order_by(FocusDay.day)
        kept = self.session.scalars(days).all()
        self.best_streak, self.last_streak = streaks(kept)
        self.last_day = kept[-1] if kept else None


def figures_of(stats: Row) -> Figures:
    """Return what an account adds to the totals and to the standings."""
    return Figures(
        accounts=1,
        focus_min=stats.total_focus_min,
        sessions=stats.total_sessions,
        plants=stats.plant_count,
        best_streak=stats.best_streak,
        active_until=minute_of(stats.active_until) if stats.active_until else 0,
    )


def minute_of(at: datetime) -> int:
    """Return an instant as whole minutes since 1970, in UTC."""
    return int(at.timestamp()) // 60


def add_stats(session: Session, *, account_id: int, at: datetime) -> None:
    """Add the statistics of a new account."""
    session.add(FocusStats(account_id=account_id, updated_at=at))
    replace_figures(session.connection(), account_id, Figures(), Figures(accounts=1))


@contextmanager
def keeping_stats(session: Session, *, owner: int) -> Iterator[KeptStats]:
    """Find an account's statistics to change them, and afterwards write them, the standings and the totals.

    Every change of focus sessions or plants happens within it: it locks the statistics first, so two changes of one
    account come one after the other. Raises `AccountGone`.
    """
    stats = _locked(session, owner)
    before = replace(stats)
    yield stats
    if stats != before:
        _PUT.first(session.connection(), owner=owner, **{name: getattr(stats, name) for name in _CHANGING})
        replace_figures(session.connection(), owner, figures_of(before), figures_of(stats))


@contextmanager
def leaving_standings(session: Session, *, owner: int) -> Iterator[None]:
    """Take an account that is closed within it out of the standings and the totals. Raises `AccountGone`."""
    stats = _locked(session, owner)
    session.execute(delete(FocusStats).where(FocusStats.account_id == owner))
    yield
    replace_figures(session.connection(), owner, figures_of(stats), Figures())


_STATS = table_of(FocusStats)
_CHANGING = [column.name for column in _STATS.c if not column.primary_key]
_LOCK = Prepared(
    select(*_STATS.c, Account.preferences)
    .join(Account, Account.id == _STATS.c.account_id)
    .where(_STATS.c.account_id == bindparam("owner"))
    .with_for_update(of=_STATS)
)
_PUT = Prepared(
    update(_STATS).where(_STATS.c.account_id == bindparam("owner")).returning(_STATS.c.account_id), sets=_CHANGING
)


def _adding_to_day() -> Prepared:
    new = insert(table_of(FocusDay)).values(sessions_completed=1)
    so_far = table_of(FocusDay).c
    sums = {name: so_far[name] + new.excluded[name] for name in ("focus_min", "sessions_completed")}
    added = new.on_conflict_do_update(index_elements=("account_id", "day"), set_=sums)
    return Prepared(added.returning(so_far.day), sets=("account_id", "day", "focus_min"))


_ADD_TO_DAY = _adding_to_day()


def _locked(session: Session, owner: int) -> KeptStats:
    session.flush()
    row = _LOCK.first(session.connection(), owner=owner)
    if row is None:
        raise AccountGone
    values = row._asdict()
    return KeptStats(session, zone_of(values.pop("preferences")), **values)


class Sum(NamedTuple):
    """What was completed in a day, week or month."""

    focus_min: int = 0
    sessions_completed: int = 0


def read_sums(
    connection: Connection, periods: Sequence[date], period_of: Callable[[date], date], *, owner: int
) -> dict[date, Sum]:
    """Add up an account's days by period; each period is named by its first day, and the newest comes first."""
    sums = dict.fromkeys(periods, Sum())
    days = select(FocusDay.__table__).where(FocusDay.account_id == owner, FocusDay.day >= periods[-1])
    for row in connection.execute(days):
        period = period_of(row.day)
        if period in sums:
            so_far = sums[period]
            sums[period] = Sum(so_far.focus_min + row.focus_min, so_far.sessions_completed + row.sessions_completed)
    return sums


def count_active(connection: Connection, *, at: datetime) -> int:
    """Count the accounts that completed a session today, each in its own time zone."""
    return accounts_above(connection, "active_until", minute_of(at))


def current_streak(connection: Connection, stats: Any, *, today: date) -> int:
    """Count the consecutive days with a completed session up to today, or to yesterday while today has none."""
    if stats.last_day is None or stats.last_day < today - DAY:
        return 0
    if stats.last_day <= today:
        return stats.last_streak
    days = select(FocusDay.day).where(FocusDay.account_id == stats.account_id, FocusDay.day <= today)
    kept = connection.scalars(days.order_by(FocusDay.day)).all()
    return streaks(kept)[1] if kept and kept[-1] >= today - DAY else 0
