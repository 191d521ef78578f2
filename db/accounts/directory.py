"""The accounts as an operator sees them: listed, found by any of their names, with what is known of their logins."""

import re
from contextlib import suppress
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, func, or_, select

from db.accounts.accounts import Account, name_key
from db.accounts.logins import Login
from db.sql.ownership import table_of

_IDS = re.compile(r"[0-9]{1,18}")
"""So many digits fit into 64 bits."""


def list_accounts(connection: Connection, *, search: str = "", after: int = 0, limit: int) -> list[Any]:
    """List the rows of accounts by id, from the one that follows `after`.

    `search` is a part of the username or the e-mail address, in any case.
    """
    key = search.strip().casefold()
    found = or_(Account.username_key.contains(key, autoescape=True), Account.email_key.contains(key, autoescape=True))
    some = select(table_of(Account)).where(Account.is_active, Account.id > after, found)
    return list(connection.execute(some.order_by(Account.id).limit(limit)))


def accounts_called(connection: Connection, name: str) -> list[Any]:
    """List the accounts that `name` is the username, the e-mail address, the id or the uuid of: two at the most.

    Anybody may choose another account's id or uuid as a username. An e-mail address is nobody else's.
    """
    key = name_key(name)
    called = [Account.username_key == key, Account.email_key == key]
    if _IDS.fullmatch(name):
        called.append(Account.id == int(name))
    with suppress(ValueError):
        called.append(Account.uuid == UUID(name))
    return list(connection.execute(select(table_of(Account)).where(Account.is_active, or_(*called)).limit(2)))


def count_logins(connection: Connection, account_id: int, *, at: datetime) -> int:
    """Count the logins of an account that stand."""
    standing = (Login.account_id == account_id, Login.ended_at.is_(None), Login.expires_at > at)
    return connection.scalar(select(func.count()).select_from(table_of(Login)).where(*standing)) or 0
