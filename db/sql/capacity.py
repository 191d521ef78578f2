"""Capacity: how many connections the database has for all its clients together."""

from sqlalchemy import Engine, text

from db.sql.poolers import is_pooled

_ROOM = text(
    "SELECT current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int"
    " - coalesce(current_setting('reserved_connections', true)::int, 0)"  # since PostgreSQL 16
)


def room_for_connections(engine: Engine) -> int | None:
    """Return how many connections PostgreSQL accepts from all its clients together; None with SQLite.

    None behind a pooler as well: it has connections of its own, by settings of its own.
    """
    if engine.dialect.name != "postgresql":
        return None
    with engine.connect() as connection:
        return None if is_pooled(connection) else connection.scalar(_ROOM)
