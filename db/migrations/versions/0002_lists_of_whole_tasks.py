"""Task lists: texts folded for search and order, tags in the order of their naming, an index for each order."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

PARTS = {"all": None, "open": sa.text("completed_at IS NULL"), "completed": sa.text("completed_at IS NOT NULL")}
ORDERS = {
    "created_at": ["created_at", "id"],
    "due_date": ["undated", "due_at", "id", "priority"],
    "due_date_latest": ["undated", sa.text("due_at DESC"), sa.text("id DESC"), "priority"],
    "priority": ["priority", "created_at", "id"],
    "title": ["title_key", "id", "priority"],
}
INDEXES = [(part, order) for part in PARTS for order in ORDERS if (part, order) != ("all", "created_at")]
"""All tasks by `created_at` had an index before."""

BATCH = 1_000

tasks = sa.table("tasks", *map(sa.column, ("id", "title", "description", "title_key", "description_key")))


def upgrade() -> None:
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    collation = "C" if on_postgresql else None
    op.add_column(
        "tasks", sa.Column("title_key", sa.String(length=600, collation=collation), server_default="", nullable=False)
    )
    op.add_column("tasks", sa.Column("description_key", sa.Text(collation=collation), nullable=True))
    # PostgreSQL indexes what is stored; SQLite adds no column that is.
    op.add_column("tasks", sa.Column("undated", sa.Boolean(), sa.Computed("due_at IS NULL", persisted=on_postgresql)))
    op.add_column("task_tags", sa.Column("position", sa.SmallInteger(), server_default="0", nullable=False))
    if on_postgresql:
        op.alter_column("tags", "name", type_=sa.String(length=50, collation="C"))
    fold_texts()
    for part, order in INDEXES:
        where = PARTS[part]
        columns = ["account_id", *ORDERS[order]]
        op.create_index(f"ix_tasks_{part}_by_{order}", "tasks", columns, postgresql_where=where, sqlite_where=where)


def downgrade() -> None:
    for part, order in INDEXES:
        op.drop_index(f"ix_tasks_{part}_by_{order}", table_name="tasks")
    if op.get_bind().dialect.name == "postgresql":
        op.alter_column("tags", "name", type_=sa.String(length=50))
    op.drop_column("task_tags", "position")
    op.drop_column("tasks", "undated")
    op.drop_column("tasks", "description_key")
    op.drop_column("tasks", "title_key")


def fold_texts() -> None:
    connection = op.get_bind()
    by_id = sa.update(tasks).where(tasks.c.id == sa.bindparam("task_id"))
    keep = by_id.values(title_key=sa.bindparam("folded_title"), description_key=sa.bindparam("folded_description"))
    last_id = 0
    while rows := connection.execute(
        sa.select(tasks.c.id, tasks.c.title, tasks.c.description)
        .where(tasks.c.id > last_id)
        .order_by(tasks.c.id)
        .limit(BATCH)
    ).all():
        connection.execute(keep, [folded(*row) for row in rows])
        last_id = rows[-1].id


def folded(task_id: int, title: str, description: str | None) -> dict[str, object]:
    folded_description = description and description.casefold()
    return {"task_id": task_id, "folded_title": title.casefold(), "folded_description": folded_description}
