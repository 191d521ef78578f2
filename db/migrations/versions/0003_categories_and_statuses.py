"""Categories by name, and indexes for the tasks of one status and of one category."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_index("ix_tasks_of_status_newest_first", "tasks", ["account_id", "status", "created_at", "id"])
    op.create_index("ix_tasks_of_category_newest_first", "tasks", ["category_id", "account_id", "created_at", "id"])
    op.drop_index("ix_tasks_category_id", table_name="tasks")
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("categories", "name", type_=sa.String(length=100, collation="C"))


def downgrade() -> None:
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("categories", "name", type_=sa.String(length=100))
    op.create_index("ix_tasks_category_id", "tasks", ["category_id"])
    op.drop_index("ix_tasks_of_category_newest_first", table_name="tasks")
    op.drop_index("ix_tasks_of_status_newest_first", table_name="tasks")
