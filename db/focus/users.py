"""Accounts as focusguard shows them: with their statistics."""

from typing import Any
from uuid import UUID

from sqlalchemy import Connection, select

from db.accounts.accounts import Account
from db.errors import AccountGone, NotFound
from db.focus.stats import FocusStats

_OF_STATS = [column for column in FocusStats.__table__.c if column.name != "updated_at"]
_USERS = select(*Account.__table__.c, *_OF_STATS, FocusStats.updated_at.label("stats_updated_at")).join(
    FocusStats, FocusStats.account_id == Account.id
)


def user_row(connection: Connection, account_id: int) -> Any:
    """Read the row of the caller's account, with its statistics. Raises `AccountGone`."""
    row = connection.execute(_USERS.where(Account.id == account_id)).first()
    if row is None:
        raise AccountGone
    return row


def public_user_row(connection: Connection, uuid: UUID) -> Any:
    """Read the row of any account, with its statistics. Raises `NotFound`."""
    row = connection.execute(_USERS.where(Account.uuid == uuid)).first()
    if row is None:
        raise NotFound("There is no such user.", "user_not_found")
    return row
