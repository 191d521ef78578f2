"""Joining and leaving: an account and its focus statistics begin and end together."""

from datetime import datetime

from sqlalchemy.orm import Session

from db.accounts.accounts import Account, add_account, find_account
from db.focus.stats import add_stats, leaving_standings


def join(session: Session, *, username: str, email: str, password_hash: str, at: datetime) -> Account:
    """Open an account together with its focus statistics. Raises `Duplicate` when the name or the address is taken."""
    account = add_account(session, username=username, email=email, password_hash=password_hash, at=at)
    add_stats(session, account_id=account.id, at=at)
    return account


def leave(session: Session, account_id: int) -> None:
    """Delete an account and, through the foreign keys, all that it owns in every contract.

    Its figures leave the standings and the totals. Raises `AccountGone`.
    """
    with leaving_standings(session, owner=account_id):
        session.delete(find_account(session, account_id))
