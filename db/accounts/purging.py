"""Purging: what no longer decides whether a token or a password counts is deleted in short steps.

Requests tidy up beside their work what is of their own account or key. What nobody comes back to is left to this.
"""

from collections import Counter
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, select, text, tuple_
from sqlalchemy.orm import Session

from db.accounts.login_attempts import WINDOW, LoginAttempt
from db.accounts.logins import HAS_ENDED, Login, RevokedToken
from db.accounts.refresh_chain import SpentToken
from db.sql.engine import transaction
from db.sql.ownership import table_of
from db.sql.types import Base

STEP = 100
"""How many of each kind a step deletes: a few milliseconds in which SQLite lets nobody else write."""

CLOCKS_APART = timedelta(hours=1)
"""By how much the clocks of two servers may differ, for what is kept for seconds only."""

KINDS = ("ended logins", "expired logins", "old login attempts", "spent refresh tokens", "expired revoked tokens")
"""What is deleted, by the names that `purge_some` counts it under."""

_TRY_TO_LOCK = text("SELECT pg_try_advisory_xact_lock(:lock)").bindparams(lock=0x51_17_7E_8)


def purge_some(*, at: datetime, access_lifetime: timedelta) -> Counter[str] | None:
    """Take one step; return how many of each kind it deleted: none when there are no more, None if another purges.

    Of the processes that share a PostgreSQL one takes a step at a time. What others have locked is left to a later one.
    """
    with transaction(limited=False) as session:
        if session.get_bind().dialect.name == "postgresql" and not session.scalar(_TRY_TO_LOCK):
            return None
        kinds = _kinds(at, access_lifetime)
        return Counter(
            {name: count for name, model, is_over in kinds if (count := _delete_some(session, model, is_over))}
        )


def _delete_some(session: Session, model: type[Base], is_over: ColumnElement[bool]) -> int:
    table = table_of(model)
    key = tuple(table.primary_key.columns)
    rows = session.execute(select(*key).where(is_over).limit(STEP).with_for_update(skip_locked=True)).all()
    if rows:
        session.execute(delete(table).where(tuple_(*key).in_([tuple(row) for row in rows])))
    return len(rows)


def _kinds(at: datetime, access_lifetime: timedelta) -> list[tuple[str, type[Base], ColumnElement[bool]]]:
    models = (Login, Login, LoginAttempt, SpentToken, RevokedToken)
    conditions = (
        # Without its row a login counts as one that has ended, for a spent refresh token that comes back as well.
        HAS_ENDED,
        # The last access token may be issued just before the login expires.
        Login.expires_at < at - access_lifetime,
        LoginAttempt.attempted_at <= at - WINDOW,
        # Which refresh token counts stands with the login; these are for one that is sent twice within seconds.
        SpentToken.spent_at < at - CLOCKS_APART,
        RevokedToken.expires_at < at,
    )
    return list(zip(KINDS, models, conditions, strict=True))
