"""Statements prepared once: SQLAlchemy writes the SQL and converts values, the driver runs it.

SQLAlchemy's execution context costs more than the driver, the socket and PostgreSQL together, so the statements of
the busiest paths go past it. Everything else asks the connection or the session as usual.
"""

from collections import namedtuple
from collections.abc import Callable, Iterable, Sequence
from time import monotonic
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import Executable
from sqlalchemy.util import await_only

from db.sql.watch import silence

if TYPE_CHECKING:
    from sqlalchemy.dialects.postgresql.asyncpg import AsyncAdapt_asyncpg_connection
    from sqlalchemy.sql.compiler import SQLCompiler

Converter = Callable[[Any], Any] | None


class _Compiled:
    """A statement in one database's SQL, with the converters of its parameters and columns."""

    def __init__(self, statement: Any, dialect: Dialect, sets: Sequence[str] | None) -> None:
        compiled: SQLCompiler = statement.compile(dialect=dialect, column_keys=sets)
        self.sql = str(compiled)
        self.positions: list[str] | None = compiled.positiontup
        converters = {name: _to_driver(bind.type, dialect) for name, bind in compiled.binds.items()}
        fixed = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
        self.fixed = {name: _converted(value, converters[name]) for name, value in fixed.items()}
        self.given = [(name, convert) for name, convert in converters.items() if name not in fixed]
        columns = [column for _, column in statement.exported_columns.items()]
        self.row = namedtuple("Row", [column.key for column in columns])  # type: ignore[misc]  # noqa: PYI024
        readers = [_from_driver(column.type, dialect) for column in columns]
        self.converted = [(place, convert) for place, convert in enumerate(readers) if convert]

    def parameters(self, values: dict[str, Any]) -> Any:
        driven = {name: convert(values[name]) if convert else values[name] for name, convert in self.given}
        driven.update(self.fixed)
        return driven if self.positions is None else [driven[name] for name in self.positions]

    def rows(self, raw: Iterable[Iterable[Any]]) -> list[Any]:
        make = self.row._make
        return [make(self._read(one)) for one in raw] if self.converted else [make(one) for one in raw]

    def _read(self, raw: Iterable[Any]) -> list[Any]:
        values = list(raw)
        for place, convert in self.converted:
            values[place] = convert(values[place])
        return values


class Prepared:
    """A statement whose values come as named parameters and whose rows are named tuples.

    `sets` names the columns that an insert sets.
    """

    def __init__(self, statement: Executable, *, sets: Sequence[str] | None = None) -> None:
        self.statement = statement
        self.sets = sets
        self._compiled: dict[str, _Compiled] = {}

    def rows(self, connection: Connection, **values: Any) -> list[Any]:
        """Run it and read all rows. Raises SQLAlchemy's errors, as if SQLAlchemy had run it."""
        dialect = connection.dialect
        compiled = self._compiled.get(dialect.driver) or self._compile(dialect)
        parameters = compiled.parameters(values)
        pooled: Any = connection.connection.dbapi_connection
        # In a transaction it is SQLAlchemy's cursor that begins it, before the first statement.
        fetch = _fetch_from_driver if dialect.is_async and pooled.autocommit else _fetch_by_cursor
        try:
            raw = fetch(pooled, compiled.sql, parameters)
        except dialect.loaded_dbapi.Error as error:
            raise _translated(error, connection, compiled.sql) from error
        silence.last_answer = monotonic()
        return compiled.rows(raw)

    def first(self, connection: Connection, **values: Any) -> Any | None:
        """Run it and read the first row; None when there is none."""
        rows = self.rows(connection, **values)
        return rows[0] if rows else None

    def _compile(self, dialect: Dialect) -> _Compiled:
        return self._compiled.setdefault(dialect.driver, _Compiled(self.statement, dialect, self.sets))


def _fetch_from_driver(adapter: "AsyncAdapt_asyncpg_connection", sql: str, parameters: Sequence[Any]) -> Sequence[Any]:
    # SQLAlchemy's cursor for asyncpg takes a lock, keeps a cache of statements beside asyncpg's own, and describes the
    # columns and counts the rows of each answer. Going past it takes an eighth off the processor time of reading one
    # row, pool and greenlet included (143 µs instead of 166), and a tenth off twenty (256 instead of 286). Holding on
    # to asyncpg's prepared statements gains nothing measurable on top: `fetch` finds them by their SQL.
    try:
        return await_only(adapter.driver_connection.fetch(sql, *parameters))
    except Exception as error:  # noqa: BLE001 (as the cursor does: what is no error of the driver's is raised as it is)
        adapter._handle_exception(error)


def _fetch_by_cursor(connection: Any, sql: str, parameters: Any) -> Sequence[Any]:
    cursor = connection.cursor()
    try:
        cursor.execute(sql, parameters)
        return cursor.fetchall()
    finally:
        cursor.close()


def _to_driver(kind: Any, dialect: Dialect) -> Converter:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _from_driver(kind: Any, dialect: Dialect) -> Converter:
    return kind.dialect_impl(dialect).result_processor(dialect, None)


def _converted(value: Any, convert: Converter) -> Any:
    return convert(value) if convert else value


def _translated(error: Exception, connection: Connection, sql: str) -> BaseException:
    dialect = connection.dialect
    gone = dialect.is_disconnect(error, connection.connection.dbapi_connection, None)  # type: ignore[arg-type]
    if gone:
        # All connections of the pool may have gone the same way: as SQLAlchemy itself does, let each be made anew
        # before it is handed out again.
        connection.engine.pool._invalidate(connection.connection, error)
        connection.invalidate(error)
    return DBAPIError.instance(
        sql, None, error, dialect.loaded_dbapi.Error, dialect=dialect, connection_invalidated=gone
    )
