"""What migrations do to tables that hold rows: while it is done, requests read and write them.

On PostgreSQL each step commits by itself, and can be done again where it failed half-way. So what a revision does with
plain `op` comes after its steps, or in a revision of its own. On SQLite all is done in one transaction.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep
from typing import Any

import sqlalchemy as sa
from alembic import op

from db.schema import SchemaError
from db.sql.poolers import is_pooled

BATCH = 500
"""How many rows are changed, and locked, at once."""


def create_index(name: str, table: str, columns: list[Any], **options: Any) -> None:
    """Create an index; `columns` and `options` are those of `op.create_index`.

    Raises `SchemaError` where PostgreSQL is reached through a pooler.
    """
    if not _on_postgresql():
        op.create_index(name, table, columns, **options)
        return
    with _outside_transactions():
        # What failed half-way has left an index that nobody reads and everybody writes.
        invalid = sa.text("SELECT true FROM pg_index WHERE indexrelid = to_regclass(:name) AND NOT indisvalid")
        if op.get_bind().scalar(invalid, {"name": name}):
            op.drop_index(name, table, postgresql_concurrently=True)
        op.create_index(name, table, columns, postgresql_concurrently=True, if_not_exists=True, **options)


def drop_index(name: str, table: str) -> None:
    """Drop an index. Raises `SchemaError` where PostgreSQL is reached through a pooler."""
    if not _on_postgresql():
        op.drop_index(name, table)
        return
    with _outside_transactions():
        op.drop_index(name, table, postgresql_concurrently=True, if_exists=True)


def add_check(name: str, table: str, condition: str) -> None:
    """Add a check that the rows there are meet already; `name` is the one in the model, without table."""
    name = f"ck_{table}_{name}"
    if not _on_postgresql():
        _add_check_on_sqlite(name, table, condition)
        return
    _begin_alone()
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")
    _commit()
    # This reads the whole table, and lets others write meanwhile.
    op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {name}")
    _commit()


def in_batches(table: str, change: Callable[[sa.ColumnElement[bool]], object], *, key: str = "id") -> None:
    """Change the rows of a table, some at a time: `change` is given the condition that some of them meet.

    It is called again for rows that it has changed if the migration fails half-way.
    """
    if _on_postgresql():
        _begin_alone()
    for some in _ranges(table, sa.column(key)):
        began = monotonic()
        change(some)
        if _on_postgresql():
            _commit()
            sleep(monotonic() - began)  # Half of the time belongs to requests.


def _ranges(table: str, key: sa.ColumnClause[Any]) -> Iterator[sa.ColumnElement[bool]]:
    keys = sa.select(key).select_from(sa.table(table))
    last = op.get_bind().scalar(keys.order_by(key.desc()).limit(1))
    beyond: sa.ColumnElement[bool] = sa.true()
    upto = None
    while upto != last:
        upto = op.get_bind().scalar(keys.where(beyond, key < last).order_by(key).offset(BATCH - 1).limit(1))
        upto = last if upto is None else upto
        yield sa.and_(beyond, key <= upto)
        beyond = key > upto


def _on_postgresql() -> bool:
    return op.get_context().dialect.name == "postgresql"


def _begin_alone() -> None:
    # What came before would be committed with this step, and stand in its own way when the revision is run again.
    if op.get_bind().scalar(sa.text("SELECT pg_current_xact_id_if_assigned() IS NOT NULL")):
        raise RuntimeError("the plain operations of a revision come after its steps, or in a revision of their own")


def _commit() -> None:
    with op.get_context().autocommit_block():
        pass


@contextmanager
def _outside_transactions() -> Iterator[None]:
    _begin_alone()
    with op.get_context().autocommit_block():
        # What is set for a session would hold for anybody's.
        if is_pooled(op.get_bind()):
            raise SchemaError(
                "an index cannot be built through a pooler: migrate over a connection to PostgreSQL itself"
            )
        # Building an index waits for the transactions there are, and nobody waits for it meanwhile.
        op.execute("SET statement_timeout = 0; SET lock_timeout = 0")
        yield


def _add_check_on_sqlite(name: str, table: str, condition: str) -> None:
    # SQLite adds no check to a table, and to build the table anew would delete what refers to its rows. Its
    # documentation allows to write the definition (https://sqlite.org/lang_altertable.html, "Making Other Kinds Of
    # Table Schema Changes"): what is stored stays as it is.
    connection = op.get_bind()
    broken = sa.select(sa.true()).select_from(sa.table(table)).where(sa.text(f"NOT ({condition})"))
    if connection.scalar(broken):
        raise SchemaError(f"rows of {table} break the check {name}")
    things = sa.table("sqlite_master", *map(sa.column, ("type", "name", "sql")))
    is_table = sa.and_(things.c.type == "table", things.c.name == table)
    head, _, tail = connection.execute(sa.select(things.c.sql).where(is_table)).scalar_one().rpartition(")")
    definition = f"{head}, CONSTRAINT {name} CHECK ({condition})){tail}"
    version = connection.scalar(sa.text("PRAGMA schema_version"))
    op.execute("PRAGMA writable_schema = ON")
    op.execute(sa.update(things).where(is_table).values(sql=definition))
    op.execute(f"PRAGMA schema_version = {version + 1}")
    op.execute("PRAGMA writable_schema = OFF")
