"""Focus sessions: times of focused work, each credited to its account once, when it is completed."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import CheckConstraint, Connection, ForeignKey, Index, String, and_, bindparam, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Mapped, mapped_column

from db.errors import AccountGone, Conflict, NotFound
from db.focus.days import day_at, end_of
from db.focus.stats import MOST_MINUTES, FocusDay, FocusStats, KeptStats
from db.sql.listings import Key
from db.sql.ownership import Changing, Owned, Row, add, listing_of, read_by_uuid, read_owned, table_of
from db.sql.prepared import Prepared

ACTIVE_FOR = timedelta(hours=24)
"""How long after its start a session that is not completed still counts as the active one."""

_MINUTE = timedelta(minutes=1)


class FocusSession(Owned):
    """A focus session. Its credited minutes and their day stay as they were when it was completed."""

    __tablename__ = "focus_sessions"
    __table_args__ = (
        Index("ix_focus_sessions_newest_first", "account_id", "created_at", "id"),
        Index("ix_focus_sessions_last_day", "account_id", "day_ends_at"),
        CheckConstraint("duration_min BETWEEN 0 AND 1440", "duration_min_in_a_day"),
        CheckConstraint("focus_min BETWEEN 0 AND 1440", "focus_min_in_a_day"),
        CheckConstraint(
            "(completed_at IS NULL) = (completed_on IS NULL) AND (completed_at IS NULL) = (day_ends_at IS NULL)",
            "completed_on_a_day",
        ),
    )
    called = "session"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4, sort_order=-2)  # type: ignore[assignment]
    duration_min: Mapped[int | None]
    focus_min: Mapped[int] = mapped_column(default=0)
    completed_at: Mapped[datetime | None]
    completed_on: Mapped[date | None]
    """The day in the time zone that the account had then."""
    day_ends_at: Mapped[datetime | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]

    def remove(self, stats: KeptStats, *, at: datetime) -> None:
        """Delete the session with its plant, and take its credit back."""
        plants = select(func.count()).select_from(Plant).where(Plant.session_id == self.id)
        stats.plant_count -= stats.session.scalar(plants) or 0
        stats.session.delete(self)
        if self.completed_on is not None:
            last = select(func.max(FocusSession.day_ends_at)).where(FocusSession.account_id == self.account_id)
            stats.discredit(self.focus_min, day=self.completed_on, active_until=stats.session.scalar(last), at=at)


class Plant(Changing, Owned):
    """A plant in the garden; a session has one at most."""

    __tablename__ = "plants"
    __table_args__ = (
        Index("ix_plants_oldest_first", "account_id", "created_at", "id"),
        CheckConstraint("growth_stage BETWEEN 0 AND 5", "growth_stage_known"),
        CheckConstraint("plant_num > 0", "plant_num_positive"),
    )
    called = "plant"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4, sort_order=-2)  # type: ignore[assignment]
    session_id: Mapped[UUID] = mapped_column(ForeignKey("focus_sessions.id", ondelete="CASCADE"), unique=True)
    plant_num: Mapped[int]
    plant_type: Mapped[str] = mapped_column(String(50))
    growth_stage: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


NEWEST_SESSIONS_FIRST = listing_of(FocusSession, Key(FocusSession.created_at, descending=True))
OLDEST_PLANTS_FIRST = listing_of(Plant, Key(Plant.created_at))


_SESSIONS = table_of(FocusSession)
_CHANGING = ("duration_min", "focus_min", "completed_at", "completed_on", "day_ends_at", "updated_at")
_ON_A_DAY = Prepared(
    select(*_SESSIONS.c, FocusDay.focus_min.label("day_min"))
    .outerjoin(FocusDay, and_(FocusDay.account_id == bindparam("owner"), FocusDay.day == bindparam("today")))
    .where(_SESSIONS.c.id == bindparam("uuid"))
)
_PUT = Prepared(update(_SESSIONS).where(_SESSIONS.c.id == bindparam("uuid")).returning(*_SESSIONS.c), sets=_CHANGING)


def change_session(stats: KeptStats, session_id: UUID, values: Mapping[str, Any], *, at: datetime) -> Row:
    """Change the planned minutes (`duration_min`) of a session, or complete it (`completed`, `actual_duration_min`).

    Completing it again changes nothing. The lock on the statistics stands for one on the session. Raises `NotFound` or
    `NotYours`, and `Conflict` when a completed session is to be opened again.
    """
    connection, owner, today = stats.session.connection(), stats.account_id, day_at(at, stats.zone)
    focus = read_by_uuid(connection, FocusSession, _ON_A_DAY, session_id, owner=owner, today=today)
    if values.get("completed") is False and focus.completed_at is not None:
        raise Conflict("A completed session cannot be opened again.", "session_completed")
    if not values:
        return focus
    changed: dict[str, Any] = {name: getattr(focus, name) for name in _CHANGING} | {"updated_at": at}
    if "duration_min" in values:
        changed["duration_min"] = values["duration_min"]
    if values.get("completed") and focus.completed_at is None:
        minutes = _minutes_of(focus, (values.get("actual_duration_min"), changed["duration_min"]), at)
        changed |= _credited(stats, minutes, day=today, day_min=focus.day_min, at=at)
    return _PUT.first(connection, uuid=session_id, **changed)


def _minutes_of(focus: Row, said: Sequence[int | None], at: datetime) -> int:
    passed = min(max(0, (at - focus.created_at) // _MINUTE), MOST_MINUTES)
    return next((minutes for minutes in said if minutes is not None), passed)


def _credited(stats: KeptStats, minutes: int, *, day: date, day_min: int | None, at: datetime) -> dict[str, Any]:
    day_ends_at = end_of(day, stats.zone)
    credited = stats.credit(minutes, day=day, day_min=day_min, day_ends_at=day_ends_at, at=at)
    return {"focus_min": credited, "completed_at": at, "completed_on": day, "day_ends_at": day_ends_at}


def count_sessions(connection: Connection, *, owner: int) -> int:
    """Count an account's focus sessions, completed or not."""
    own = select(func.count()).select_from(FocusSession).where(FocusSession.account_id == owner)
    return connection.scalar(own) or 0


def count_plants(connection: Connection, *, owner: int) -> int:
    """Count an account's plants. Raises `AccountGone`."""
    count = connection.scalar(select(FocusStats.plant_count).where(FocusStats.account_id == owner))
    if count is None:
        raise AccountGone
    return count


def read_active_session(connection: Connection, *, owner: int, at: datetime) -> Any:
    """Read the newest session that is not completed and younger than 24 hours. Raises `NotFound`."""
    active = select(FocusSession.__table__).where(
        FocusSession.account_id == owner,
        FocusSession.completed_at.is_(None),
        FocusSession.created_at > at - ACTIVE_FOR,
    )
    newest = active.order_by(FocusSession.created_at.desc(), FocusSession.id.desc()).limit(1)
    row = connection.execute(newest).first()
    if row is None:
        raise NotFound("There is no active session.", "session_not_found")
    return row


def add_plant(focus: FocusSession, values: Mapping[str, Any], *, stats: KeptStats, at: datetime) -> Plant:
    """Add a plant to a session; without a number in `values`, it gets the next one in the garden.

    Raises `Conflict` when the session already has a plant.
    """
    number = values.get("plant_num") or _next_number(stats)
    try:
        named = {**values, "plant_num": number, "session_id": focus.id}
        plant = add(stats.session, Plant, named, owner=focus.account_id, at=at)
    except IntegrityError as error:
        raise Conflict("This session has a plant already.", "plant_exists") from error
    stats.plant_count += 1
    return plant


def _next_number(stats: KeptStats) -> int:
    highest = stats.session.scalar(select(func.max(Plant.plant_num)).where(Plant.account_id == stats.account_id))
    return (highest or 0) + 1


def read_plant_of(connection: Connection, session_id: UUID, *, owner: int) -> Any:
    """Read the plant of an account's session. Raises `NotFound` or `NotYours`."""
    focus = read_owned(connection, FocusSession, session_id, owner=owner)
    row = connection.execute(select(Plant.__table__).where(Plant.session_id == focus.id)).first()
    if row is None:
        raise NotFound("There is no such plant.", "plant_not_found")
    return row


def remove_plant(plant: Plant, stats: KeptStats) -> None:
    """Delete a plant from the garden."""
    stats.session.delete(plant)
    stats.plant_count -= 1
