"""Sweeping: the things of closed accounts are deleted in short steps, each a transaction of its own.

Deleting an account of 100,000 long tasks takes 20 seconds, in which SQLite lets nobody else write. So leaving only
closes such an account, and nobody finds it or its things any more (`Account.close`, `db/membership.py`); a sweeper
deletes them while others go on. The closed account goes last, so that a sweeper that is stopped, with its process or
its database, leaves to the next one whatever is left.

A request that was let in before its account was closed may end after it, as if it had come before: what it adds to the
closed account is swept too.
"""

from collections.abc import Callable
from typing import Any

from sqlalchemy import Connection, delete, event, exists, func, select
from sqlalchemy.orm import Session

from db.accounts.accounts import IS_CLOSED, Account
from db.accounts.logins import Login
from db.focus.sessions import FocusSession, Plant
from db.personal_anchor import Achievement, FocusItem, FuturePlan
from db.sql.engine import transaction
from db.sql.ownership import table_of
from db.tasks.categories import Category
from db.tasks.tags import Tag
from db.tasks.tasks import Task

STEP = 100
"""How many things a step deletes: some 20 ms of work for SQLite, with all indexes of tasks."""

# Tasks come before their tags and categories: deleting those would wait for a task that a request has locked.
_THINGS: tuple[Any, ...] = (Task, Category, Tag, Plant, FocusSession, Login, Achievement, FocusItem, FuturePlan)
"""What an account may have many of; the rest goes with its row, through the foreign keys."""

listeners: set[Callable[[], None]] = set()
"""Called when there is something to sweep, from whichever thread or greenlet has closed the account."""


def sweep() -> bool:
    """Take one step at some closed account; return whether there was one.

    The lock waits for requests that were let in before the account was closed, and lets sweepers of other processes
    take turns.
    """
    with transaction(limited=False) as session:
        account_id = session.scalar(select(Account.id).where(IS_CLOSED).limit(1).with_for_update())
        if account_id is not None:
            sweep_account(session, account_id)
        return account_id is not None


def sweep_account(session: Session, account_id: int) -> bool:
    """Delete up to `STEP` things of a closed account that is locked, and then the account; return whether it is gone.

    What a request has locked is left to a later step, so that neither waits for the other.
    """
    room = STEP
    for model in _THINGS:
        things = table_of(model)
        own = things.c.account_id == account_id
        some = select(things.c.id).where(own).limit(room).with_for_update(skip_locked=True)
        ids = session.scalars(some).all()
        if ids:
            session.execute(delete(things).where(things.c.id.in_(ids)))
        room -= len(ids)
        if not room or session.scalar(select(exists().where(own))):
            return False
    session.execute(delete(table_of(Account)).where(Account.id == account_id))
    return True


def count_things(connection: Connection, account_id: int) -> int:
    """Count what a sweeper would delete, if the account were closed."""
    tables = [table_of(model) for model in _THINGS]
    counts = (select(func.count()).select_from(one).where(one.c.account_id == account_id) for one in tables)
    return sum(connection.scalar(count) or 0 for count in counts)


def leave_to_sweepers(session: Session) -> None:
    """Call the sweepers of this process once the transaction that closed an account is committed."""
    event.listen(session, "after_commit", _call_sweepers, once=True)


def _call_sweepers(_session: Session) -> None:
    for call in tuple(listeners):
        call()
