"""What lists of tasks in parts need: an index for each filter."""

from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    op.create_index("ix_tasks_of_status_newest_first", "tasks", ["account_id", "status", "created_at", "id"])
    op.create_index("ix_tasks_of_category_newest_first", "tasks", ["category_id", "created_at", "id"])
    op.drop_index("ix_tasks_category_id", table_name="tasks")


def downgrade() -> None:
    op.create_index("ix_tasks_category_id", "tasks", ["category_id"])
    op.drop_index("ix_tasks_of_category_newest_first", table_name="tasks")
    op.drop_index("ix_tasks_of_status_newest_first", table_name="tasks")
