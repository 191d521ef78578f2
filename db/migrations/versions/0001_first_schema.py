"""The first schema: accounts, one task list, the personal anchor, focus."""

from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001_fits_0001"
down_revision = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
INSTANT = sa.DateTime(timezone=True)
NEWEST_FIRST = ["account_id", "created_at", "id"]

ACCOUNTS = ["accounts", "login_attempts", "logins", "revoked_tokens", "spent_tokens"]
ANCHOR = ["profiles", "achievements", "future_plans", "focus_items"]
TASKS = ["categories", "tags", "tasks", "recurrence_patterns", "task_tags"]
FOCUS = ["focus_sessions", "plants", "focus_days", "focus_stats", "standings"]


def upgrade() -> None:
    create_accounts()
    create_personal_anchor()
    create_tasks()
    index_tasks()
    create_focus()


def downgrade() -> None:
    for table in reversed(ACCOUNTS + ANCHOR + TASKS + FOCUS):
        op.drop_table(table)


def create_accounts() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", ID, primary_key=True),
        sa.Column("uuid", sa.Uuid(), nullable=False, unique=True),
        sa.Column("username", sa.String(64), nullable=False),
        sa.Column("username_key", sa.String(192), nullable=False, unique=True),
        sa.Column("email", sa.String(254), nullable=False),
        sa.Column("email_key", sa.String(762), nullable=False, unique=True),
        sa.Column("password_hash", sa.String(60), nullable=False),
        sa.Column("preferences", sa.JSON(), nullable=False),
        sa.Column("is_active", sa.Boolean(), nullable=False),
        *required(INSTANT, "created_at", "updated_at"),
        sa.CheckConstraint("length(username) > 0", "username_not_empty"),
        sqlite_autoincrement=True,
    )
    create_index_of_part("ix_accounts_closed", "accounts", ["id"], "is_active IS false", on_sqlite="is_active IS 0")
    op.create_table(
        "login_attempts",
        sa.Column("key", sa.String(64), primary_key=True),
        sa.Column("slot", sa.SmallInteger(), primary_key=True, autoincrement=False),
        sa.Column("attempted_at", INSTANT, nullable=False, index=True),
    )
    op.create_table(
        "logins",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("account_id", ID, belongs_to("accounts"), nullable=False, index=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False, index=True),
        sa.Column("ended_at", INSTANT),
        sa.Column("refresh_jti", sa.Uuid()),
    )
    create_index_of_part("ix_logins_ended", "logins", ["id"], "ended_at IS NOT NULL")
    op.create_table(
        "revoked_tokens",
        sa.Column("jti", sa.Uuid(), primary_key=True),
        sa.Column("expires_at", INSTANT, nullable=False, index=True),
    )
    op.create_table(
        "spent_tokens",
        sa.Column("jti", sa.Uuid(), primary_key=True),
        sa.Column("login_id", sa.Uuid(), belongs_to("logins"), nullable=False, index=True),
        sa.Column("spent_at", INSTANT, nullable=False, index=True),
        sa.Column("successor", sa.Uuid(), nullable=False),
        sa.Column("successor_expires_at", INSTANT, nullable=False),
    )


def create_personal_anchor() -> None:
    op.create_table(
        "profiles",
        account_as_key(),
        sa.Column("professional_title", sa.String(200)),
        sa.Column("one_liner_bio", sa.String(500)),
        *required(INSTANT, "created_at", "updated_at"),
    )
    create_list(
        "achievements",
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("quantifiable_results", sa.Text()),
        sa.Column("core_skills_json", sa.JSON(), nullable=False),
        sa.Column("date_achieved", sa.Date()),
    )
    op.create_index("ix_achievements_latest_first", "achievements", ["account_id", "date_achieved", "created_at", "id"])
    create_list(
        "future_plans",
        sa.Column("goal_type", sa.String(50)),
        sa.Column("description", sa.Text(), nullable=False),
        sa.Column("target_date", sa.Date()),
        sa.Column("status", sa.SmallInteger(), nullable=False),
        sa.CheckConstraint("status BETWEEN 1 AND 4", "status_known"),
    )
    soonest_first = ["account_id", "target_date", sa.text("created_at DESC"), sa.text("id DESC")]
    op.create_index("ix_future_plans_soonest_first", "future_plans", soonest_first)
    create_list(
        "focus_items",
        sa.Column("item_type", sa.String(50)),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("description", sa.Text()),
        sa.Column("start_date", sa.Date()),
        sa.Column("status", sa.String(50)),
    )
    op.create_index("ix_focus_items_newest_first", "focus_items", NEWEST_FIRST)


def create_tasks() -> None:
    create_list(
        "categories",
        sa.Column("name", sa.String(100, by_code_point()), nullable=False),
        sa.Column("color", sa.String(7), nullable=False),
        sa.UniqueConstraint("account_id", "name"),
    )
    create_list(
        "tags",
        sa.Column("uuid", sa.Uuid(), nullable=False, unique=True),
        sa.Column("name", sa.String(50, by_code_point()), nullable=False),
        sa.Column("color", sa.String(7), nullable=False),
        sa.UniqueConstraint("account_id", "name"),
    )
    op.create_table(
        "tasks",
        sa.Column("id", ID, primary_key=True),
        sa.Column("account_id", ID, belongs_to("accounts"), nullable=False),
        sa.Column("uuid", sa.Uuid(), nullable=False, unique=True),
        sa.Column("title", sa.String(200), nullable=False),
        sa.Column("description", sa.Text()),
        *required(sa.SmallInteger(), "status", "priority"),
        sa.Column("due_at", INSTANT),
        sa.Column("category_id", ID, sa.ForeignKey("categories.id", ondelete="SET NULL")),
        sa.Column("completed_at", INSTANT),
        sa.Column("repeated_at", INSTANT),
        *required(INSTANT, "created_at", "updated_at"),
        sa.Column("title_key", sa.String(600, by_code_point()), nullable=False),
        sa.Column("description_key", sa.Text(collation=by_code_point())),
        # Stored where that is what PostgreSQL indexes; SQLite indexes what it computes.
        sa.Column("undated", sa.Boolean(), sa.Computed("due_at IS NULL", persisted=on_postgresql())),
        sa.CheckConstraint("(status = 3) = (completed_at IS NOT NULL)", "completed_has_instant"),
        sa.CheckConstraint("priority BETWEEN 1 AND 3", "priority_known"),
        sa.CheckConstraint("status BETWEEN 1 AND 4", "status_known"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "recurrence_patterns",
        sa.Column("id", ID, primary_key=True),
        sa.Column("uuid", sa.Uuid(), nullable=False, unique=True),
        sa.Column("task_id", ID, belongs_to("tasks"), nullable=False, unique=True),
        sa.Column("pattern_type", sa.SmallInteger(), nullable=False),
        sa.Column("interval", sa.Integer(), nullable=False),
        sa.Column("end_at", INSTANT),
        sa.Column("occurrences_count", sa.Integer()),
        sa.Column("occurrence_number", sa.Integer(), nullable=False),
        sa.Column("day_of_month", sa.SmallInteger()),
        sa.CheckConstraint("day_of_month BETWEEN 1 AND 31", "day_of_month_known"),
        sa.CheckConstraint("interval >= 1", "interval_positive"),
        sa.CheckConstraint("occurrence_number >= 1", "occurrence_number_positive"),
        sa.CheckConstraint("pattern_type BETWEEN 1 AND 4", "pattern_type_known"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "task_tags",
        sa.Column("task_id", ID, belongs_to("tasks"), primary_key=True, autoincrement=False),
        sa.Column("tag_id", ID, belongs_to("tags"), primary_key=True, autoincrement=False, index=True),
        sa.Column("position", sa.SmallInteger(), server_default="0", nullable=False),
    )


def index_tasks() -> None:
    # Of two indexes that serve as well, SQLite reads the one that was created last.
    op.create_index("ix_tasks_newest_first", "tasks", NEWEST_FIRST)
    orders = {
        "created_at": ["created_at", "id"],
        "due_date": ["undated", "due_at", "id", "priority"],
        "due_date_latest": ["undated", sa.text("due_at DESC"), sa.text("id DESC"), "priority"],
        "priority": ["priority", "created_at", "id"],
        "title": ["title_key", "id", "priority"],
    }
    for order, columns in list(orders.items())[1:]:
        op.create_index(f"ix_tasks_all_by_{order}", "tasks", ["account_id", *columns])
    for part, where in (("open", "completed_at IS NULL"), ("completed", "completed_at IS NOT NULL")):
        for order, columns in orders.items():
            create_index_of_part(f"ix_tasks_{part}_by_{order}", "tasks", ["account_id", *columns], where)
    op.create_index("ix_tasks_of_status_newest_first", "tasks", ["account_id", "status", "created_at", "id"])
    op.create_index("ix_tasks_of_category_newest_first", "tasks", ["category_id", *NEWEST_FIRST])


def create_focus() -> None:
    whole = "(completed_at IS NULL) = (completed_on IS NULL) AND (completed_at IS NULL) = (day_ends_at IS NULL)"
    op.create_table(
        "focus_sessions",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("account_id", ID, belongs_to("accounts"), nullable=False),
        sa.Column("duration_min", sa.Integer()),
        sa.Column("focus_min", sa.Integer(), nullable=False),
        sa.Column("completed_at", INSTANT),
        sa.Column("completed_on", sa.Date()),
        sa.Column("day_ends_at", INSTANT),
        *required(INSTANT, "created_at", "updated_at"),
        sa.CheckConstraint(whole, "completed_on_a_day"),
        sa.CheckConstraint("duration_min BETWEEN 0 AND 1440", "duration_min_in_a_day"),
        sa.CheckConstraint("focus_min BETWEEN 0 AND 1440", "focus_min_in_a_day"),
    )
    op.create_index("ix_focus_sessions_last_day", "focus_sessions", ["account_id", "day_ends_at"])
    op.create_index("ix_focus_sessions_newest_first", "focus_sessions", NEWEST_FIRST)
    op.create_table(
        "plants",
        sa.Column("id", sa.Uuid(), primary_key=True),
        sa.Column("account_id", ID, belongs_to("accounts"), nullable=False),
        sa.Column("session_id", sa.Uuid(), belongs_to("focus_sessions"), nullable=False, unique=True),
        sa.Column("plant_num", sa.Integer(), nullable=False),
        sa.Column("plant_type", sa.String(50), nullable=False),
        sa.Column("growth_stage", sa.Integer(), nullable=False),
        *required(INSTANT, "created_at", "updated_at"),
        sa.CheckConstraint("growth_stage BETWEEN 0 AND 5", "growth_stage_known"),
        sa.CheckConstraint("plant_num > 0", "plant_num_positive"),
    )
    op.create_index("ix_plants_oldest_first", "plants", NEWEST_FIRST)
    op.create_table(
        "focus_days",
        account_as_key(),
        sa.Column("day", sa.Date(), primary_key=True),
        *required(sa.Integer(), "focus_min", "sessions_completed"),
        sa.CheckConstraint("focus_min BETWEEN 0 AND 1440", "focus_min_in_a_day"),
        sa.CheckConstraint("sessions_completed > 0", "not_empty"),
    )
    op.create_table(
        "focus_stats",
        account_as_key(),
        *required(sa.Integer(), "total_focus_min", "total_sessions", "best_streak", "last_streak"),
        sa.Column("last_day", sa.Date()),
        sa.Column("active_until", INSTANT),
        *required(sa.Integer(), "plant_count"),
        sa.Column("updated_at", INSTANT, nullable=False),
        sa.CheckConstraint("plant_count >= 0", "plant_count_positive"),
        sa.CheckConstraint("total_focus_min >= 0", "total_focus_min_positive"),
        sa.CheckConstraint("total_sessions >= 0", "total_sessions_positive"),
    )
    for most in ("best_streak", "total_focus_min", "total_sessions"):
        op.create_index(f"ix_focus_stats_most_{most}", "focus_stats", [sa.text(f"{most} DESC"), "account_id"])
    op.create_table(
        "standings",
        *(sa.Column(name, sa.SmallInteger(), primary_key=True, autoincrement=False) for name in ("board", "level")),
        sa.Column("bucket", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("shard", sa.SmallInteger(), primary_key=True, autoincrement=False),
        *required(sa.BigInteger(), "amount"),
    )


def on_postgresql() -> bool:
    return op.get_context().dialect.name == "postgresql"


def by_code_point() -> str | None:
    return "C" if on_postgresql() else None


def create_list(table: str, *parts: sa.schema.SchemaItem) -> None:
    """Create the table of numbered things that belong to an account."""
    keys = sa.Column("id", ID, primary_key=True), sa.Column("account_id", ID, belongs_to("accounts"), nullable=False)
    stamps = required(INSTANT, "created_at", "updated_at")
    op.create_table(table, *keys, *parts, *stamps, sqlite_autoincrement=True)


def required(kind: sa.types.TypeEngine[Any], *names: str) -> list[sa.Column[Any]]:
    return [sa.Column(name, kind, nullable=False) for name in names]


def account_as_key() -> sa.Column[int]:
    return sa.Column("account_id", ID, belongs_to("accounts"), primary_key=True, autoincrement=False)


def belongs_to(table: str) -> sa.ForeignKey:
    return sa.ForeignKey(f"{table}.id", ondelete="CASCADE")


def create_index_of_part(name: str, table: str, columns: list[Any], where: str, on_sqlite: str | None = None) -> None:
    on_sqlite = where if on_sqlite is None else on_sqlite
    op.create_index(name, table, columns, postgresql_where=sa.text(where), sqlite_where=sa.text(on_sqlite))
