"""What lists of tasks in parts need: titles folded to one case, and an index for each filter and order."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0001"

OPEN = sa.text("completed_at IS NULL")
tasks = sa.table("tasks", sa.column("id"), sa.column("title"), sa.column("title_key"))


def upgrade() -> None:
    op.add_column("tasks", sa.Column("title_key", sa.String(length=600), server_default="", nullable=False))
    _fold_titles()
    op.create_index("ix_tasks_by_title", "tasks", ["account_id", "title_key", "id"])
    op.create_index("ix_tasks_of_status_newest_first", "tasks", ["account_id", "status", "created_at", "id"])
    op.create_index(
        "ix_tasks_open_newest_first",
        "tasks",
        ["account_id", "created_at", "id"],
        postgresql_where=OPEN,
        sqlite_where=OPEN,
    )
    op.create_index("ix_tasks_of_category_newest_first", "tasks", ["category_id", "created_at", "id"])
    op.drop_index("ix_tasks_category_id", table_name="tasks")


def downgrade() -> None:
    op.create_index("ix_tasks_category_id", "tasks", ["category_id"])
    op.drop_index("ix_tasks_of_category_newest_first", table_name="tasks")
    op.drop_index("ix_tasks_open_newest_first", table_name="tasks")
    op.drop_index("ix_tasks_of_status_newest_first", table_name="tasks")
    op.drop_index("ix_tasks_by_title", table_name="tasks")
    op.drop_column("tasks", "title_key")


def _fold_titles() -> None:
    connection = op.get_bind()
    rows = connection.execute(sa.select(tasks.c.id, tasks.c.title)).all()
    folded = [{"task_id": row.id, "folded": row.title.casefold()} for row in rows]
    if folded:
        by_id = sa.update(tasks).where(tasks.c.id == sa.bindparam("task_id"))
        connection.execute(by_id.values(title_key=sa.bindparam("folded")), folded)
