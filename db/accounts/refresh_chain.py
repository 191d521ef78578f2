"""The chain of refresh tokens of a login: each can be used once, and is exchanged for the next one.

A login knows the `jti` of the one that is not spent. Spent ones are kept for as long as they get the same successor
again. A new login has only one refresh token, so its `jti` need not be known before it is used.
"""

from datetime import datetime, timedelta
from uuid import UUID, uuid4

from sqlalchemy import Connection, ForeignKey, Select, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.accounts.logins import Login
from db.sql.types import Base

GRACE = timedelta(seconds=10)
"""How long a spent token gets the same successor again: two tabs of a browser may send it at the same time."""


class SpentToken(Base):
    """A refresh token that was used, and the one that replaced it."""

    __tablename__ = "spent_tokens"

    jti: Mapped[UUID] = mapped_column(primary_key=True)
    login_id: Mapped[UUID] = mapped_column(ForeignKey("logins.id", ondelete="CASCADE"), index=True)
    spent_at: Mapped[datetime] = mapped_column(index=True)
    successor: Mapped[UUID]
    successor_expires_at: Mapped[datetime]


def spend(session: Session, login: Login, jti: UUID, *, at: datetime, lifetime: timedelta) -> SpentToken | None:
    """Spend a refresh token of a locked login; return None if it was spent before, longer ago than `GRACE`.

    The successor lives for `lifetime`, and the login lasts as long.
    """
    if login.refresh_jti not in (None, jti):
        return session.scalars(_spent_just_now(jti, at)).first()
    session.execute(delete(SpentToken).where(SpentToken.login_id == login.id, SpentToken.spent_at < at - GRACE))
    spent = SpentToken(jti=jti, login_id=login.id, spent_at=at, successor=uuid4(), successor_expires_at=at + lifetime)
    login.refresh_jti, login.expires_at = spent.successor, spent.successor_expires_at
    session.add(spent)
    return spent


def is_accepted(connection: Connection, login_id: UUID, jti: UUID, *, at: datetime) -> bool:
    """Check that a refresh token is not spent, or was spent no longer than `GRACE` ago."""
    good = connection.scalar(select(Login.refresh_jti).where(Login.id == login_id))
    return good in (None, jti) or connection.execute(_spent_just_now(jti, at)).first() is not None


def _spent_just_now(jti: UUID, at: datetime) -> Select[SpentToken]:
    return select(SpentToken).where(SpentToken.jti == jti, SpentToken.spent_at >= at - GRACE)
