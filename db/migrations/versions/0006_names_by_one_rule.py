"""Usernames and e-mail addresses by the rules of names.py, and the keys by which they are compared.

A name that cannot be chosen by these rules, or that by them is the same as another one, gives way to a new one: what a
contract shows of an account can be sent back.
"""

from collections.abc import Callable, Iterator
from itertools import count

import sqlalchemy as sa
from alembic import op

from names import email_key, username_key

revision = "0006"
down_revision = "0005"

BATCH = 1_000

COLUMNS = ("id", "username", "username_key", "email", "email_key", "is_active")
ACCOUNTS = sa.table("accounts", *(sa.column(name) for name in COLUMNS))


def upgrade() -> None:
    _compare_by(ACCOUNTS.c.username, ACCOUNTS.c.username_key, username_key, "account-{}")
    _compare_by(ACCOUNTS.c.email, ACCOUNTS.c.email_key, email_key, "account-{}@renamed.invalid")


def downgrade() -> None:
    """Leave names and keys: they still tell all accounts apart."""


def _compare_by(
    name: sa.ColumnClause[str], key: sa.ColumnClause[str], key_of: Callable[[str], str], new_name: str
) -> None:
    last_id = 0
    of_some = sa.select(ACCOUNTS.c.id, name, key).where(ACCOUNTS.c.is_active).order_by(ACCOUNTS.c.id).limit(BATCH)
    while rows := op.get_bind().execute(of_some.where(ACCOUNTS.c.id > last_id)).all():
        for account_id, text, before in rows:
            if _key(text, key_of) != before:
                chosen = next(one for one in _names(text, new_name, account_id) if _is_free(key, _key(one, key_of)))
                changed = sa.update(ACCOUNTS).where(ACCOUNTS.c.id == account_id)
                op.get_bind().execute(changed.values({name: chosen, key: key_of(chosen)}))
        last_id = rows[-1].id


def _names(text: str, new_name: str, account_id: int) -> Iterator[str]:
    yield from (text, new_name.format(account_id))
    yield from (new_name.format(f"{account_id}-{number}") for number in count(2))


def _key(text: str, key_of: Callable[[str], str]) -> str | None:
    try:
        return key_of(text)
    except ValueError:
        return None


def _is_free(key: sa.ColumnClause[str], text: str | None) -> bool:
    is_taken = sa.select(sa.exists(sa.select(1).where(key == text)))
    return text is not None and not op.get_bind().scalar(is_taken)
