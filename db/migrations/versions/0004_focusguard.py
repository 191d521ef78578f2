"""Focus sessions, garden, statistics, standings and refresh token rotation."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    op.create_table(
        "standing_counts",
        sa.Column("board", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("level", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("bucket", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("accounts", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("board", "level", "bucket", name=op.f("pk_standing_counts")),
    )
    op.create_table(
        "totals",
        sa.Column("shard", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("accounts", sa.Integer(), nullable=False),
        sa.Column("focus_min", sa.BigInteger(), nullable=False),
        sa.Column("sessions", sa.BigInteger(), nullable=False),
        sa.Column("plants", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("shard", name=op.f("pk_totals")),
    )
    op.create_table(
        "focus_days",
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("focus_min", sa.Integer(), nullable=False),
        sa.Column("sessions_completed", sa.Integer(), nullable=False),
        sa.CheckConstraint("focus_min BETWEEN 0 AND 1440", name=op.f("ck_focus_days_focus_min_in_a_day")),
        sa.CheckConstraint("sessions_completed > 0", name=op.f("ck_focus_days_not_empty")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_focus_days_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", "day", name=op.f("pk_focus_days")),
    )
    op.create_table(
        "focus_sessions",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("duration_min", sa.Integer(), nullable=True),
        sa.Column("focus_min", sa.Integer(), nullable=False),
        sa.Column("completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("completed_on", sa.Date(), nullable=True),
        sa.Column("day_ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint(
            "(completed_at IS NULL) = (completed_on IS NULL) AND (completed_at IS NULL) = (day_ends_at IS NULL)",
            name=op.f("ck_focus_sessions_completed_on_a_day"),
        ),
        sa.CheckConstraint("duration_min BETWEEN 0 AND 1440", name=op.f("ck_focus_sessions_duration_min_in_a_day")),
        sa.CheckConstraint("focus_min BETWEEN 0 AND 1440", name=op.f("ck_focus_sessions_focus_min_in_a_day")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_focus_sessions_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_focus_sessions")),
    )
    op.create_index("ix_focus_sessions_last_day", "focus_sessions", ["account_id", "day_ends_at"], unique=False)
    op.create_index(
        "ix_focus_sessions_newest_first", "focus_sessions", ["account_id", "created_at", "id"], unique=False
    )
    op.create_table(
        "focus_stats",
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("total_focus_min", sa.Integer(), nullable=False),
        sa.Column("total_sessions", sa.Integer(), nullable=False),
        sa.Column("best_streak", sa.Integer(), nullable=False),
        sa.Column("last_streak", sa.Integer(), nullable=False),
        sa.Column("last_day", sa.Date(), nullable=True),
        sa.Column("active_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("plant_count", sa.Integer(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("plant_count >= 0", name=op.f("ck_focus_stats_plant_count_positive")),
        sa.CheckConstraint("total_focus_min >= 0", name=op.f("ck_focus_stats_total_focus_min_positive")),
        sa.CheckConstraint("total_sessions >= 0", name=op.f("ck_focus_stats_total_sessions_positive")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_focus_stats_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("account_id", name=op.f("pk_focus_stats")),
    )
    op.create_index(
        "ix_focus_stats_most_best_streak",
        "focus_stats",
        [sa.literal_column("best_streak DESC"), "account_id"],
        unique=False,
    )
    op.create_index(
        "ix_focus_stats_most_total_focus_min",
        "focus_stats",
        [sa.literal_column("total_focus_min DESC"), "account_id"],
        unique=False,
    )
    op.create_index(
        "ix_focus_stats_most_total_sessions",
        "focus_stats",
        [sa.literal_column("total_sessions DESC"), "account_id"],
        unique=False,
    )
    op.create_table(
        "plants",
        sa.Column("id", sa.Uuid(), nullable=False),
        sa.Column("account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("session_id", sa.Uuid(), nullable=False),
        sa.Column("plant_num", sa.Integer(), nullable=False),
        sa.Column("plant_type", sa.String(length=50), nullable=False),
        sa.Column("growth_stage", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.CheckConstraint("growth_stage BETWEEN 0 AND 5", name=op.f("ck_plants_growth_stage_known")),
        sa.CheckConstraint("plant_num > 0", name=op.f("ck_plants_plant_num_positive")),
        sa.ForeignKeyConstraint(
            ["account_id"], ["accounts.id"], name=op.f("fk_plants_account_id_accounts"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["session_id"], ["focus_sessions.id"], name=op.f("fk_plants_session_id_focus_sessions"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_plants")),
        sa.UniqueConstraint("session_id", name=op.f("uq_plants_session_id")),
    )
    op.create_index("ix_plants_oldest_first", "plants", ["account_id", "created_at", "id"], unique=False)
    op.create_table(
        "spent_tokens",
        sa.Column("jti", sa.Uuid(), nullable=False),
        sa.Column("login_id", sa.Uuid(), nullable=False),
        sa.Column("spent_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("successor", sa.Uuid(), nullable=False),
        sa.Column("successor_expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["login_id"], ["logins.id"], name=op.f("fk_spent_tokens_login_id_logins"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("jti", name=op.f("pk_spent_tokens")),
    )
    op.create_index(op.f("ix_spent_tokens_login_id"), "spent_tokens", ["login_id"], unique=False)
    op.add_column("logins", sa.Column("refresh_jti", sa.Uuid(), nullable=True))
    _count_accounts()


def _count_accounts() -> None:
    """Give the accounts that are there the statistics that new ones begin with."""
    op.execute(
        "INSERT INTO focus_stats (account_id, total_focus_min, total_sessions, best_streak, last_streak, plant_count,"
        " updated_at) SELECT id, 0, 0, 0, 0, 0, created_at FROM accounts"
    )
    op.execute(
        "INSERT INTO totals (shard, accounts, focus_min, sessions, plants)"
        " SELECT id % 16, count(*), 0, 0, 0 FROM accounts GROUP BY id % 16"
    )


def downgrade() -> None:
    op.drop_column("logins", "refresh_jti")
    op.drop_index(op.f("ix_spent_tokens_login_id"), table_name="spent_tokens")
    op.drop_table("spent_tokens")
    op.drop_index("ix_plants_oldest_first", table_name="plants")
    op.drop_table("plants")
    op.drop_index("ix_focus_stats_most_total_sessions", table_name="focus_stats")
    op.drop_index("ix_focus_stats_most_total_focus_min", table_name="focus_stats")
    op.drop_index("ix_focus_stats_most_best_streak", table_name="focus_stats")
    op.drop_table("focus_stats")
    op.drop_index("ix_focus_sessions_newest_first", table_name="focus_sessions")
    op.drop_index("ix_focus_sessions_last_day", table_name="focus_sessions")
    op.drop_table("focus_sessions")
    op.drop_table("focus_days")
    op.drop_table("totals")
    op.drop_table("standing_counts")
