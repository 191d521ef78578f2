"""Capacity: how many connections the database has for all its clients together."""

from typing import Any

from sqlalchemy import Engine, text

_ROOM = text(
    "SELECT pg_backend_pid(), current_setting('max_connections')::int"
    " - current_setting('superuser_reserved_connections')::int"
    " - coalesce(current_setting('reserved_connections', true)::int, 0)"  # since PostgreSQL 16
)


def room_for_connections(engine: Engine) -> int | None:
    """Return how many connections PostgreSQL accepts from all its clients together; None with SQLite.

    None behind a pooler as well: it has connections of its own, by settings of its own.
    """
    if engine.dialect.name != "postgresql":
        return None
    with engine.connect() as connection:
        process, room = connection.execute(_ROOM).one()
        driver: Any = connection.connection.driver_connection
        # A pooler makes up the number of the process by which a client is known to it.
        return room if process == driver.info.backend_pid else None
