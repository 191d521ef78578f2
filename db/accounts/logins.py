"""Logins and revoked tokens: they decide whether a well-signed token is still valid."""

from datetime import datetime
from uuid import UUID, uuid4

from sqlalchemy import Connection, ForeignKey, Index, bindparam, delete, exists, select, update
from sqlalchemy.orm import Mapped, Session, mapped_column

from db.accounts.accounts import Account
from db.errors import AccountGone
from db.sql.constraints import insert_into
from db.sql.prepared import Prepared
from db.sql.types import Base, Id


class Login(Base):
    """One login of one account: all tokens issued for it carry its id as `sid`."""

    __tablename__ = "logins"

    id: Mapped[UUID] = mapped_column(primary_key=True, default=uuid4)
    account_id: Mapped[int] = mapped_column(Id, ForeignKey("accounts.id", ondelete="CASCADE"), index=True)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime] = mapped_column(index=True)
    ended_at: Mapped[datetime | None]
    refresh_jti: Mapped[UUID | None]
    """The one refresh token that is not spent; None until the first one is spent (db/accounts/refresh_chain.py)."""

    def end(self, at: datetime) -> None:
        """Make all its tokens invalid."""
        self.ended_at = self.ended_at or at


HAS_ENDED = Login.ended_at.is_not(None)

Index("ix_logins_ended", Login.id, postgresql_where=HAS_ENDED, sqlite_where=HAS_ENDED)


class RevokedToken(Base):
    """An entry of the blocklist: a single token that was logged out before it expired."""

    __tablename__ = "revoked_tokens"

    jti: Mapped[UUID] = mapped_column(primary_key=True)
    expires_at: Mapped[datetime] = mapped_column(index=True)


_STANDING = Prepared(
    select(Account.id)
    .join(Login, Login.account_id == Account.id)
    .where(
        Login.id == bindparam("login_id"),
        Account.uuid == bindparam("uuid"),
        Login.ended_at.is_(None),
        Account.is_active,
        ~exists().where(RevokedToken.jti == bindparam("jti")),
    )
)


def account_of(connection: Connection, *, uuid: UUID, login_id: UUID, jti: UUID) -> int | None:
    """Find the id of an account by its login; None if that has ended or is another's, or the token is revoked."""
    row = _STANDING.first(connection, uuid=uuid, login_id=login_id, jti=jti)
    return None if row is None else row.id


def open_login(session: Session, *, account_id: int, at: datetime, expires_at: datetime) -> Login:
    """Open a login that lasts until its last token expires, and delete the expired ones of the account.

    Raises `AccountGone` for an account that was closed since its password was checked.
    """
    standing = select(Account.id).where(Account.id == account_id, Account.is_active)
    if session.scalar(standing.with_for_update(read=True, key_share=True)) is None:
        raise AccountGone
    session.execute(delete(Login).where(Login.account_id == account_id, Login.expires_at < at))
    login = Login(account_id=account_id, created_at=at, expires_at=expires_at)
    session.add(login)
    session.flush()
    return login


def find_login(session: Session, login_id: UUID) -> Login | None:
    """Find a login that has not ended and lock it; None when there is none."""
    standing = select(Login).where(Login.id == login_id, Login.ended_at.is_(None))
    return session.scalars(standing.with_for_update()).first()


def end_login(connection: Connection, login_id: UUID, *, at: datetime) -> None:
    """Make all tokens of a login invalid."""
    connection.execute(update(Login).where(Login.id == login_id, Login.ended_at.is_(None)).values(ended_at=at))


def revoke_token(session: Session, *, jti: UUID, expires_at: datetime, at: datetime) -> None:
    """Put a token on the blocklist, and remove those from it that have expired."""
    session.execute(delete(RevokedToken).where(RevokedToken.expires_at < at))
    session.execute(insert_into(session, RevokedToken).values(jti=jti, expires_at=expires_at).on_conflict_do_nothing())


def end_logins(session: Session, *, account_id: int, at: datetime, kept: UUID | None = None) -> int:
    """End all logins of an account, but for one that may be kept; return how many those are."""
    others = update(Login).where(
        Login.account_id == account_id, Login.id.is_distinct_from(kept), Login.ended_at.is_(None)
    )
    return len(session.scalars(others.values(ended_at=at).returning(Login.id)).all())
