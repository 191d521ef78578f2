"""Standings in shards, with the totals beside them (db/focus/standings.py)."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"

RANKED = {2: "total_focus_min", 3: "total_sessions", 5: "best_streak", 6: "active_until"}
SUMMED = {1: None, 2: "total_focus_min", 3: "total_sessions", 4: "plant_count"}
BITS, LEVELS, SHARDS = 6, 6, 16


def upgrade() -> None:
    op.create_table(
        "standings",
        sa.Column("board", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("shard", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("board", "level", "bucket", "shard", name=op.f("pk_standings")),
    )
    for board, name in RANKED.items():
        for level in range(LEVELS):
            _count(board, level, f"{_value_of(name)} / {1 << BITS * level}", "count(*)")
    for board, name in SUMMED.items():
        _count(board, LEVELS, "0", f"sum({name})" if name else "count(*)")
    op.drop_table("standing_counts")
    op.drop_table("totals")


def downgrade() -> None:
    op.drop_table("standings")
    op.create_table(
        "standing_counts",
        *(
            sa.Column(name, sa.Integer(), primary_key=True, autoincrement=False)
            for name in ("board", "level", "bucket")
        ),
        sa.Column("accounts", sa.Integer(), nullable=False),
    )
    op.create_table(
        "totals",
        sa.Column("shard", sa.SmallInteger(), primary_key=True, autoincrement=False),
        *(sa.Column(name, sa.BigInteger(), nullable=False) for name in ("accounts", "focus_min", "sessions", "plants")),
    )


def _value_of(name: str) -> str:
    if name != "active_until":
        return name
    on_postgresql = op.get_bind().dialect.name == "postgresql"
    seconds = "extract(epoch FROM active_until)" if on_postgresql else "strftime('%s', active_until)"
    return f"CAST(coalesce({seconds}, 0) AS bigint) / 60"


def _count(board: int, level: int, bucket: str, amount: str) -> None:
    counted = "" if bucket == "0" else f"WHERE {bucket} > 0"
    op.execute(
        "INSERT INTO standings (board, level, bucket, shard, amount)"  # noqa: S608
        f" SELECT {board}, {level}, {bucket}, account_id % {SHARDS}, {amount} FROM focus_stats {counted}"
        " GROUP BY 3, 4"
    )
