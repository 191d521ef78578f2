"""The keys by which usernames and e-mail addresses are compared, by the rules of names.py."""

from collections.abc import Callable

import sqlalchemy as sa
from alembic import op

from names import email_key, username_key

revision = "0006"
down_revision = "0005"

BATCH = 1_000

ACCOUNTS = sa.table("accounts", *(sa.column(name) for name in ("id", "username", "username_key", "email", "email_key")))


def upgrade() -> None:
    _compare_by(ACCOUNTS.c.username, ACCOUNTS.c.username_key, username_key)
    _compare_by(ACCOUNTS.c.email, ACCOUNTS.c.email_key, email_key)


def downgrade() -> None:
    """Leave the keys: they still tell all names apart."""


def _compare_by(name: sa.ColumnClause[str], key: sa.ColumnClause[str], key_of: Callable[[str], str]) -> None:
    last_id = 0
    of_some = sa.select(ACCOUNTS.c.id, name, key).order_by(ACCOUNTS.c.id).limit(BATCH)
    while rows := op.get_bind().execute(of_some.where(ACCOUNTS.c.id > last_id)).all():
        for account_id, text, before in rows:
            _change_key(account_id, key, before, _key(text, key_of) or before)
        last_id = rows[-1].id


def _key(text: str, key_of: Callable[[str], str]) -> str | None:
    try:
        return key_of(text)
    except ValueError:
        return None  # It could not be chosen today, and stays as it is.


def _change_key(account_id: int, key: sa.ColumnClause[str], before: str, after: str) -> None:
    # Of accounts that turn out to have the same name, one gets the key, and the others keep theirs.
    is_taken = sa.select(sa.exists(sa.select(1).where(key == after)))
    if after != before and not op.get_bind().scalar(is_taken):
        op.get_bind().execute(sa.update(ACCOUNTS).where(ACCOUNTS.c.id == account_id).values({key: after}))
