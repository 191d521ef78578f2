"""Alembic's entry: migrates over the connection that `db.schema.migrate` opened."""

from typing import Any, Literal

from alembic import context

from db.schema import metadata
from db.sql.types import Instant, Ranked


def plain_type(kind: str, item: Any, _autogen_context: Any) -> str | Literal[False]:
    """Write migrations in the database's own types: a revision must not change when a model's type does."""
    if kind == "type" and isinstance(item, Instant):
        return "sa.DateTime(timezone=True)"
    if kind == "type" and isinstance(item, Ranked):
        return "sa.SmallInteger()"
    return False


context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_item=plain_type)
with context.begin_transaction():
    context.run_migrations()
