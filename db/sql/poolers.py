"""Poolers: whether what lies between this process and PostgreSQL keeps what the server relies on."""

import asyncio
from contextlib import AsyncExitStack
from typing import Any

import asyncpg
from sqlalchemy import Connection, text

from db.sql.postgresql import Opening, opening
from db.sql.urls import driver_url
from db.sql.watch import STATEMENT_TIMEOUT_MILLISECONDS

UTC_NAMES = ("utc", "etc/utc")
MOST_NEIGHBORS = 4
PATIENCE_SECONDS = 1.5

_LOST = (asyncpg.InvalidSQLStatementNameError, asyncpg.DuplicatePreparedStatementError)
_SETTINGS = "SELECT name, setting FROM pg_settings WHERE name IN ('statement_timeout', 'TimeZone')"
_SERVER = "SELECT pg_backend_pid()"

LOSES_STATEMENTS = "a pooler before the database keeps no prepared statements: set PREPARED_STATEMENTS=false"
REFUSES_SETTINGS = (
    "a pooler before the database refuses start-up parameters: set PREPARED_STATEMENTS=false, or let it ignore them"
    " (PgBouncer: ignore_startup_parameters = statement_timeout,options)"
)


class PoolerError(Exception):
    """Over the database URL, PostgreSQL cannot be used as it is set."""


def check_sessions(url: str, *, prepared: bool) -> None:
    """Check that connections to `url` have the settings that they need, and keep the statements that they prepare.

    Without this check a server would start, and lose some of its requests under load.
    A database that cannot be reached tells nothing; whoever asks it next says so. Raises `PoolerError`.
    """
    parsed = driver_url(url)
    if parsed.get_backend_name() == "postgresql":
        asyncio.run(_check(opening(parsed, prepared=prepared), prepared=prepared))


def is_pooled(connection: Connection) -> bool:
    """Check whether a pooler stands before PostgreSQL, over a connection of psycopg's."""
    driver: Any = connection.connection.driver_connection
    # A pooler makes up the number of the process by which a client is known to it.
    return driver.info.backend_pid != connection.scalar(text(_SERVER))


async def _check(opens: Opening, *, prepared: bool) -> None:
    async with AsyncExitStack() as connections:
        try:
            first = await _opened(opens, connections)
            # As in `is_pooled`.
            if prepared and await first.fetchval(_SERVER) != first.get_server_pid():
                await _check_statements(first, opens, connections)
            await _check_settings(first)
        except _LOST as error:
            raise PoolerError(LOSES_STATEMENTS) from error
        except asyncpg.ProtocolViolationError as error:
            if "startup parameter" in str(error):
                raise PoolerError(REFUSES_SETTINGS) from error
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            return


async def _opened(opens: Opening, connections: AsyncExitStack) -> asyncpg.Connection:
    connection = await opens()
    connections.callback(connection.terminate)
    return connection


async def _check_settings(connection: asyncpg.Connection) -> None:
    settings = dict(await connection.fetch(_SETTINGS))
    zone, timeout = settings["TimeZone"], int(settings["statement_timeout"])
    if zone.lower() not in UTC_NAMES or not 0 < timeout <= STATEMENT_TIMEOUT_MILLISECONDS:
        raise PoolerError(
            f"the database's role has to set what a pooler does not pass on: ALTER ROLE … SET timezone = 'UTC' and"
            f" ALTER ROLE … SET statement_timeout = {STATEMENT_TIMEOUT_MILLISECONDS} (now {zone} and {timeout})"
        )


async def _check_statements(first: asyncpg.Connection, opens: Opening, connections: AsyncExitStack) -> None:
    """Have a statement prepared, and executed while another client holds the connection that it was prepared on."""
    prepared = await first.prepare(_SERVER)
    server = await prepared.fetchval()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            for _ in range(MOST_NEIGHBORS):
                neighbor = await _opened(opens, connections)
                await neighbor.execute("BEGIN")
                if await neighbor.fetchval(_SERVER) == server:
                    break
            await prepared.fetchval()
    except TimeoutError:
        # Its pool is empty, so nothing can be found out; with a single connection there is nothing to lose either.
        return
