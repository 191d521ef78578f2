"""Attempts with a password: a fixed number of slots for each key, each free again after a while."""

from datetime import datetime, timedelta

from sqlalchemy import SmallInteger, String, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.sql.constraints import insert_into
from db.sql.types import Base

SLOTS = 5
"""How many wrong attempts a window allows (focusguard, "Security Best Practices", 4)."""

WINDOW = timedelta(minutes=15)


class LoginAttempt(Base):
    """A slot of a key, and when it was taken; it stays taken until the window has passed."""

    __tablename__ = "login_attempts"

    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    slot: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    attempted_at: Mapped[datetime] = mapped_column(index=True)


def take_slot(session: Session, key: str, *, at: datetime) -> int | None:
    """Take a free slot and return its number; None when all are taken.

    Each slot is tried by one conditional statement, so two processes that race for the last slot cannot both get it.
    """
    for slot in range(SLOTS):
        new = insert_into(session, LoginAttempt).values(key=key, slot=slot, attempted_at=at)
        taken = new.on_conflict_do_update(
            index_elements=["key", "slot"],
            set_={"attempted_at": at},
            where=LoginAttempt.attempted_at <= at - WINDOW,
        )
        if session.execute(taken.returning(LoginAttempt.slot)).first() is not None:
            return slot
    return None


def clear_attempts(session: Session, key: str) -> None:
    """Free all slots of a key, or of all keys that begin with it, before their windows have passed."""
    # Keys are hexadecimal, so a `g` comes after all of them. LIKE could not use the primary key in every collation.
    session.execute(delete(LoginAttempt).where(LoginAttempt.key.between(key, f"{key}g")))


def next_free_at(session: Session, key: str) -> datetime | None:
    """Return when the first of the taken slots is free again; None when none is taken."""
    oldest = session.execute(select(func.min(LoginAttempt.attempted_at)).where(LoginAttempt.key == key)).scalar()
    return oldest + WINDOW if oldest is not None else None


def forget_old_attempts(session: Session, *, at: datetime) -> None:
    """Delete the slots that are free again."""
    session.execute(delete(LoginAttempt).where(LoginAttempt.attempted_at <= at - WINDOW))
