"""Statements prepared once: SQLAlchemy writes the SQL and converts values, the driver runs it.

SQLAlchemy's execution context costs more than the driver, the socket and PostgreSQL together, so the statements of
the busiest paths go past it. Everything else asks the connection or the session as usual.
"""

from collections import namedtuple
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql import Executable

if TYPE_CHECKING:
    from sqlalchemy.sql.compiler import SQLCompiler

Converter = Callable[[Any], Any] | None


class _Compiled:
    """A statement in one database's SQL, with the converters of its parameters and columns."""

    def __init__(self, statement: Any, dialect: Dialect, sets: Sequence[str] | None) -> None:
        compiled: SQLCompiler = statement.compile(dialect=dialect, column_keys=sets)
        self.sql = str(compiled)
        self.positions: list[str] | None = compiled.positiontup
        self.fixed = {name: bind.value for name, bind in compiled.binds.items() if not bind.required}
        self.binds = {name: _to_driver(bind.type, dialect) for name, bind in compiled.binds.items()}
        columns = [column for _, column in statement.exported_columns.items()]
        self.row = namedtuple("Row", [column.key for column in columns])  # type: ignore[misc]  # noqa: PYI024
        self.columns = [_from_driver(column.type, dialect) for column in columns]

    def parameters(self, values: dict[str, Any]) -> Any:
        given = {name: self.fixed[name] if name in self.fixed else values[name] for name in self.binds}
        driven = {name: convert(given[name]) if convert else given[name] for name, convert in self.binds.items()}
        return driven if self.positions is None else [driven[name] for name in self.positions]

    def rows(self, raw: Sequence[Any]) -> list[Any]:
        make, columns = self.row._make, self.columns
        return [
            make([convert(value) if convert else value for convert, value in zip(columns, one, strict=True)])
            for one in raw
        ]


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
        cursor = connection.connection.cursor()
        try:
            cursor.execute(compiled.sql, compiled.parameters(values))
            raw = cursor.fetchall()
        except dialect.loaded_dbapi.Error as error:
            raise _translated(error, connection, compiled.sql) from error
        finally:
            cursor.close()
        return compiled.rows(raw)

    def first(self, connection: Connection, **values: Any) -> Any | None:
        """Run it and read the first row; None when there is none."""
        rows = self.rows(connection, **values)
        return rows[0] if rows else None

    def _compile(self, dialect: Dialect) -> _Compiled:
        return self._compiled.setdefault(dialect.driver, _Compiled(self.statement, dialect, self.sets))


def _to_driver(kind: Any, dialect: Dialect) -> Converter:
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _from_driver(kind: Any, dialect: Dialect) -> Converter:
    return kind.dialect_impl(dialect).result_processor(dialect, None)


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
