from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Connection,
    Date,
    Engine,
    Integer,
    String,
    Table,
    Uuid,
    delete,
    func,
    insert,
    inspect,
    select,
)
from sqlalchemy.schema import CheckConstraint

import clock
from db.schema import config_for, metadata, migrate
from db.sql.engine import transaction
from db.sql.types import Instant, Ranked


def test_models_and_migrations_agree(empty_database: Engine):
    migrate(empty_database)

    with empty_database.connect() as connection:
        differences = compare_metadata(MigrationContext.configure(connection), metadata)

    assert differences == []


def test_models_and_migrations_agree_on_what_is_checked(empty_database: Engine):
    # Alembic does not compare checks by itself.
    migrate(empty_database)

    inspector = inspect(empty_database)
    migrated = {str(check["name"]) for table in metadata.tables for check in inspector.get_check_constraints(table)}

    assert migrated == {
        str(constraint.name)
        for table in metadata.tables.values()
        for constraint in table.constraints
        if isinstance(constraint, CheckConstraint)
    }


def test_every_revision_can_be_taken_back_and_done_again(empty_database: Engine):
    migrate(empty_database)

    with empty_database.connect() as connection:
        command.downgrade(config_for(connection), "base")
        connection.commit()
    left = inspect(empty_database).get_table_names()
    migrate(empty_database)

    assert left == ["alembic_version"]
    assert set(inspect(empty_database).get_table_names()) == {"alembic_version", *metadata.tables}


def test_processes_that_start_at_once_migrate_once(empty_database: Engine):
    with ThreadPoolExecutor(4) as threads:
        list(threads.map(migrate, [empty_database] * 4))

    assert set(inspect(empty_database).get_table_names()) == {"alembic_version", *metadata.tables}


def test_a_migration_that_fails_leaves_nothing_behind(empty_database: Engine, monkeypatch: pytest.MonkeyPatch):
    def fail_half_way(config: Config, _revision: str) -> None:
        metadata.tables["accounts"].create(config.attributes["connection"])
        raise RuntimeError

    monkeypatch.setattr(command, "upgrade", fail_half_way)

    with pytest.raises(RuntimeError):
        migrate(empty_database)

    assert inspect(empty_database).get_table_names() == []


def test_revisions_are_one_line(empty_database: Engine):
    with empty_database.connect() as connection:
        script = ScriptDirectory.from_config(config_for(connection))

    assert len(script.get_heads()) == 1
    assert len(script.get_bases()) == 1


def test_what_belongs_to_an_account_goes_with_it(database: None):
    accounts = metadata.tables["accounts"]

    with transaction() as session:
        connection = session.connection()
        rows: dict[str, Any] = {}
        for table in (accounts, *of_accounts()):
            rows[table.name] = add_row(connection, table, rows)
        before = {table.name: count_of(connection, table, rows) for table in of_accounts()}

        connection.execute(delete(accounts).where(accounts.c.id == rows["accounts"]["id"]))
        after = {table.name: count_of(connection, table, rows) for table in of_accounts()}
        session.rollback()

    assert set(before.values()) == {1}
    assert set(after.values()) == {0}


def of_accounts() -> list[Table]:
    """List the tables whose rows belong to an account, by whatever way, after those that they refer to."""
    owned = {"accounts"}
    for table in metadata.sorted_tables:
        if {key.column.table.name for key in table.foreign_keys} & owned:
            owned.add(table.name)
    return [table for table in metadata.sorted_tables if table.name in owned - {"accounts"}]


def add_row(connection: Connection, table: Table, rows: dict[str, Any]) -> dict[str, Any]:
    """Add a row that refers to the rows there are, and give back its key."""
    values = {column.name: value_for(column, rows) for column in table.columns if is_needed(column)}
    return dict(connection.execute(insert(table).values(values).returning(*table.primary_key)).one()._mapping)


def is_needed(column: Column[Any]) -> bool:
    return bool(column.foreign_keys) or not (
        column.nullable or column.default or column is column.table.autoincrement_column
    )


def value_for(column: Column[Any], rows: dict[str, Any]) -> Any:
    for key in column.foreign_keys:
        return rows[key.column.table.name][key.column.name]
    if isinstance(column.type, Ranked):
        return column.type.words[0]
    samples = {
        Uuid: uuid4(),
        Instant: clock.now(),
        Date: clock.now().date(),
        String: "sample",
        Integer: 1,
        Boolean: True,
        JSON: {},
    }
    return next(sample for kind, sample in samples.items() if isinstance(column.type, kind))


def count_of(connection: Connection, table: Table, rows: dict[str, Any]) -> int:
    key = [column == rows[table.name][column.name] for column in table.primary_key]
    return connection.execute(select(func.count()).select_from(table).where(*key)).scalar_one()
