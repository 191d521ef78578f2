"""Joining and leaving: an account and its focus statistics begin and end together."""

from datetime import datetime

from sqlalchemy.orm import Session

from db.accounts.accounts import Account, add_account, find_account
from db.focus.stats import add_stats, leaving_standings
from db.sweeping import leave_to_sweepers, sweep_account


def join(session: Session, *, username: str, email: str, password_hash: str, at: datetime) -> Account:
    """Open an account together with its focus statistics. Raises `Duplicate` when the name or the address is taken."""
    account = add_account(session, username=username, email=email, password_hash=password_hash, at=at)
    add_stats(session, account_id=account.id, at=at)
    return account


def leave(session: Session, account_id: int) -> None:
    """Delete an account and all that it owns in every contract.

    Its figures leave the standings and the totals, and its names are free. An account that has more than one step of
    the sweeper deletes is closed: nothing leads to it or its things any more, and they are deleted afterwards
    (`db/sweeping.py`). Raises `AccountGone`.
    """
    with leaving_standings(session, owner=account_id):
        find_account(session, account_id).close()
        session.flush()
        if not sweep_account(session, account_id):
            leave_to_sweepers(session)
