"""The day of the month that a monthly or yearly recurrence began with, which comes back after shorter months."""

from alembic import op

revision = "0008"
down_revision = "0007"


def upgrade() -> None:
    # Alembic leaves checks out as it adds a column, and SQLite adds none afterwards; both databases read this.
    op.execute(
        "ALTER TABLE recurrence_patterns ADD COLUMN day_of_month SMALLINT"
        " CONSTRAINT ck_recurrence_patterns_day_of_month_known CHECK (day_of_month BETWEEN 1 AND 31)"
    )


def downgrade() -> None:
    op.drop_column("recurrence_patterns", "day_of_month")
