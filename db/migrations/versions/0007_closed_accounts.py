"""An index of the accounts that are closed, which have things left to delete."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    op.create_index(
        "ix_accounts_closed",
        "accounts",
        ["id"],
        postgresql_where=sa.text("is_active IS false"),
        sqlite_where=sa.text("is_active IS 0"),
    )


def downgrade() -> None:
    op.drop_index("ix_accounts_closed", table_name="accounts")
