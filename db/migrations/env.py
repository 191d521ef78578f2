"""Alembic's entry point: runs the migrations over the connection that `db.schema` opened."""

from typing import Any, Literal

from alembic import context

from db.schema import metadata
from db.sql.types import Instant, Ranked


def plain_type(kind: str, item: Any, _autogen_context: Any) -> str | Literal[False]:
    """Render column types as the database's own: a revision must not change when a type of ours does."""
    if kind == "type" and isinstance(item, Instant):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Ranked):
        return "sa.SmallInteger()"
    return False


context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_item=plain_type,
    transaction_per_migration=True,
)
with context.begin_transaction():
    context.run_migrations()
