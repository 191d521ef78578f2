"""Indexes in the order of the lists of achievements and plans, whose pages are found by key."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.drop_index("ix_achievements_newest_first", "achievements")
    op.create_index("ix_achievements_latest_first", "achievements", ["account_id", "date_achieved", "created_at", "id"])
    op.drop_index("ix_future_plans_newest_first", "future_plans")
    latest = [sa.text("created_at DESC"), sa.text("id DESC")]
    op.create_index("ix_future_plans_soonest_first", "future_plans", ["account_id", "target_date", *latest])


def downgrade() -> None:
    for table, listed in (("achievements", "latest_first"), ("future_plans", "soonest_first")):
        op.drop_index(f"ix_{table}_{listed}", table)
        op.create_index(f"ix_{table}_newest_first", table, ["account_id", "created_at", "id"])
