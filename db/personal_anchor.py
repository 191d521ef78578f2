"""The personal anchor of the workspace contract: profile, achievements, current focus, future plans."""

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import CheckConstraint, Connection, ForeignKey, Index, String, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.errors import AccountGone
from db.sql.constraints import insert_into
from db.sql.listings import Key
from db.sql.ownership import Changing, Owned, listing_of, shown_columns, table_of
from db.sql.types import Base, Id, LongText, Ranked

Found = TypeVar("Found")

PLAN_STATUSES = ("active", "achieved", "deferred", "abandoned")


class Profile(Changing, Base):
    """What an account says about its work; each account has one at most."""

    __tablename__ = "profiles"

    account_id: Mapped[int] = mapped_column(
        Id, ForeignKey("accounts.id", ondelete="CASCADE"), primary_key=True, autoincrement=False
    )
    professional_title: Mapped[str | None] = mapped_column(String(200))
    one_liner_bio: Mapped[str | None] = mapped_column(String(500))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class Achievement(Changing, Owned):
    """Something an account is proud of."""

    __tablename__ = "achievements"
    called = "achievement"

    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(LongText)
    quantifiable_results: Mapped[str | None] = mapped_column(LongText)
    core_skills_json: Mapped[list[str]] = mapped_column(default=list)
    date_achieved: Mapped[date | None]
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class FocusItem(Changing, Owned):
    """Something an account is busy with at present."""

    __tablename__ = "focus_items"
    called = "focus item"

    item_type: Mapped[str | None] = mapped_column(String(50))
    title: Mapped[str] = mapped_column(String(200))
    description: Mapped[str | None] = mapped_column(LongText)
    start_date: Mapped[date | None]
    status: Mapped[str | None] = mapped_column(String(50))
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


class FuturePlan(Changing, Owned):
    """Something an account plans to do or become."""

    __tablename__ = "future_plans"
    __table_args__ = (CheckConstraint("status BETWEEN 1 AND 4", "status_known"), Owned.__table_args__)
    called = "plan"

    goal_type: Mapped[str | None] = mapped_column(String(50))
    description: Mapped[str] = mapped_column(LongText)
    target_date: Mapped[date | None]
    status: Mapped[str] = mapped_column(Ranked(PLAN_STATUSES), default="active")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


_A, _F, _P = (table_of(model).c for model in (Achievement, FocusItem, FuturePlan))
Index("ix_achievements_latest_first", _A.account_id, _A.date_achieved, _A.created_at, _A.id)
Index("ix_focus_items_newest_first", _F.account_id, _F.created_at, _F.id)
Index("ix_future_plans_soonest_first", _P.account_id, _P.target_date, _P.created_at.desc(), _P.id.desc())

LATEST_ACHIEVEMENTS_FIRST = listing_of(
    Achievement,
    Key(_A.date_achieved, descending=True),
    Key(_A.created_at, descending=True),
    last=_A.date_achieved.is_(None),
)
NEWEST_FOCUS_ITEMS_FIRST = listing_of(FocusItem, Key(_F.created_at, descending=True))
SOONEST_PLANS_FIRST = listing_of(
    FuturePlan, Key(_P.target_date), Key(_P.created_at, descending=True), last=_P.target_date.is_(None)
)


def read_profile(connection: Connection, *, owner: int, at: datetime) -> Any:
    """Read the row of an account's profile; a missing one is added, empty.

    Requests that do so at the same time add only one. Raises `AccountGone`.
    """
    own = select(*shown_columns(Profile)).where(Profile.account_id == owner)
    return _found_or_made(lambda: connection.execute(own).first(), connection, owner, at)


def find_profile(session: Session, *, owner: int, at: datetime) -> Profile:
    """Find an account's profile in order to change it; a missing one is added, empty. Raises `AccountGone`."""
    return _found_or_made(lambda: session.get(Profile, owner, with_for_update=True), session, owner, at)


def make_profile(bind: Session | Connection, *, owner: int, at: datetime) -> None:
    """Add an empty profile to an account, unless it has one."""
    empty = insert_into(bind, Profile).values(account_id=owner, created_at=at, updated_at=at)
    bind.execute(empty.on_conflict_do_nothing())


def _found_or_made(find: Callable[[], Found | None], bind: Session | Connection, owner: int, at: datetime) -> Found:
    found = find()
    if found is None:
        make_profile(bind, owner=owner, at=at)
        found = find()
    if found is None:
        raise AccountGone
    return found
