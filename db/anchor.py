"""The personal anchor of the workspace contract: profile, achievements, current focus, future plans."""

from datetime import date, datetime

from sqlalchemy import CheckConstraint, ForeignKey, Index, String
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.inserts import insert_into
from db.ownership import Changing, Owned, listing_of
from db.types import Base, Id, LongText, Ranked

PLAN_STATUSES = ("active", "achieved", "deferred", "abandoned")


class Profile(Changing, Base):
    """What an account says of its work; one an account."""

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
    """Something an account is busy with these days."""

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
    """Something an account means to do or become."""

    __tablename__ = "future_plans"
    __table_args__ = (CheckConstraint("status BETWEEN 1 AND 4", "status_known"), Owned.__table_args__)
    called = "plan"

    goal_type: Mapped[str | None] = mapped_column(String(50))
    description: Mapped[str] = mapped_column(LongText)
    target_date: Mapped[date | None]
    status: Mapped[str] = mapped_column(Ranked(*PLAN_STATUSES), default="active")
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]


for model in (Achievement, FocusItem, FuturePlan):
    Index(f"ix_{model.__tablename__}_newest_first", model.account_id, model.created_at, model.id)

# "nulls last" is said with IS NULL, which both databases sort alike.
LATEST_ACHIEVEMENTS_FIRST = listing_of(
    Achievement,
    Achievement.date_achieved.is_(None),
    Achievement.date_achieved.desc(),
    Achievement.created_at.desc(),
)
NEWEST_FOCUS_ITEMS_FIRST = listing_of(FocusItem, FocusItem.created_at.desc())
SOONEST_PLANS_FIRST = listing_of(
    FuturePlan, FuturePlan.target_date.is_(None), FuturePlan.target_date, FuturePlan.created_at.desc()
)


def profile_of(session: Session, *, owner: int, at: datetime) -> Profile:
    """Find an account's profile, made empty if it is missing; two callers at once make but one."""
    if session.get(Profile, owner) is None:
        empty = insert_into(session, Profile).values(account_id=owner, created_at=at, updated_at=at)
        session.execute(empty.on_conflict_do_nothing())
    return session.get_one(Profile, owner, with_for_update=True)
