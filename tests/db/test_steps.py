from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from sqlalchemy import Engine, inspect, text
from sqlalchemy.exc import IntegrityError

from db import schema
from db.migrations import steps
from db.schema import SchemaError, migrate, pending
from tests.conftest import HANGS_AFTER
from tests.db.throw_away import CONTRACTION, fill, write_revisions

Write = Callable[..., list[str]]

ON_POSTGRESQL = pytest.mark.on("postgresql")

ADD_COLUMN = 'op.add_column("tasks", sa.Column("color", sa.String(7)))'
CREATE_INDEX = 'steps.create_index("ix_tasks_color", "tasks", ["account_id", "color"])'


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Write revisions that come after those there are, until the test is over."""

    def add(*bodies: str) -> list[str]:
        monkeypatch.setattr(schema, "FOLDERS", [*schema.FOLDERS, tmp_path])
        return write_revisions(tmp_path, bodies)

    return add


@pytest.fixture
def tasks(empty_database: Engine) -> Engine:
    """A database of its own with 25 tasks."""
    migrate(empty_database)
    fill(empty_database, 25)
    return empty_database


def all_of(engine: Engine, sql: str) -> list[tuple[Any, ...]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text(sql))]


def test_what_a_database_lacks_is_listed_and_nothing_is_done(empty_database: Engine, write: Write):
    before = pending(empty_database)
    migrate(empty_database)
    written = write(ADD_COLUMN, CREATE_INDEX)

    assert before[0] == "0001_fits_0001"
    assert pending(empty_database) == written
    assert "color" not in {column["name"] for column in inspect(empty_database).get_columns("tasks")}


def test_a_newer_schema_that_an_older_version_runs_on_lacks_nothing(
    empty_database: Engine, write: Write, monkeypatch: pytest.MonkeyPatch
):
    write(ADD_COLUMN, CREATE_INDEX)
    migrate(empty_database)
    monkeypatch.undo()

    migrate(empty_database)

    assert pending(empty_database) == []
    assert "ix_tasks_color" in {index["name"] for index in inspect(empty_database).get_indexes("tasks")}


def test_a_newer_schema_that_an_older_version_cannot_run_on_is_refused(
    empty_database: Engine, write: Write, monkeypatch: pytest.MonkeyPatch
):
    write(ADD_COLUMN, f'{CONTRACTION}\nop.drop_column("tasks", "repeated_at")')
    migrate(empty_database)
    monkeypatch.undo()

    with pytest.raises(SchemaError, match="another version's tables"):
        migrate(empty_database)


def test_steps_are_done_on_both_databases(tasks: Engine, write: Write, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(steps, "BATCH", 10)
    batches = 'seen = []\nsteps.in_batches("tasks", seen.append)\nassert len(seen) == 3'
    write(
        ADD_COLUMN,
        CREATE_INDEX,
        batches,
        'table = sa.table("tasks", sa.column("color"))\n'
        'steps.in_batches("tasks", lambda some: op.execute(sa.update(table).where(some).values(color="red")))',
        'steps.add_check("color_given", "tasks", "color IS NOT NULL")',
        'steps.drop_index("ix_tasks_color", "tasks")',
    )

    migrate(tasks)

    assert all_of(tasks, "SELECT color, count(*) FROM tasks GROUP BY color") == [("red", 25)]
    assert "ix_tasks_color" not in {index["name"] for index in inspect(tasks).get_indexes("tasks")}
    with pytest.raises(IntegrityError), tasks.begin() as connection:
        connection.execute(text("UPDATE tasks SET color = NULL"))


def test_a_check_that_rows_break_is_not_added(tasks: Engine, write: Write):
    write('steps.add_check("id_small", "tasks", "id < 20")')

    with pytest.raises((IntegrityError, SchemaError), match="ck_tasks_id_small"):
        migrate(tasks)

    assert len(pending(tasks)) == 1


def test_batches_of_an_empty_table_are_none(empty_database: Engine, write: Write):
    write('steps.in_batches("tasks", lambda some: 1 / 0)')

    migrate(empty_database)

    assert pending(empty_database) == []


@ON_POSTGRESQL
def test_what_failed_half_way_is_done_again(tasks: Engine, write: Write):
    write('steps.create_index("ix_tasks_twice", "tasks", ["priority"], unique=True)')
    with pytest.raises(IntegrityError):
        migrate(tasks)
    invalid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_tasks_twice'::regclass"
    left = all_of(tasks, invalid)
    with tasks.begin() as connection:
        connection.execute(text("DELETE FROM tasks WHERE id > 1"))

    migrate(tasks)

    assert left == [(False,)]
    assert all_of(tasks, invalid) == [(True,)]


@ON_POSTGRESQL
def test_batches_that_were_done_are_kept_when_a_later_one_fails(
    tasks: Engine, write: Write, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(steps, "BATCH", 10)
    write(
        'table = sa.table("tasks", *map(sa.column, ("id", "priority")))\n'
        "priority = sa.case((table.c.id <= 15, 3), else_=9)\n"
        'steps.in_batches("tasks", lambda some: op.execute(sa.update(table).where(some).values(priority=priority)))'
    )

    with pytest.raises(IntegrityError):
        migrate(tasks)

    assert all_of(tasks, "SELECT count(*) FROM tasks WHERE priority = 3 AND id <= 10") == [(10,)]


@ON_POSTGRESQL
def test_a_step_after_plain_operations_would_commit_them_and_is_refused(tasks: Engine, write: Write):
    write(f"{ADD_COLUMN}\n{CREATE_INDEX}")

    with pytest.raises(RuntimeError, match="revision of their own"):
        migrate(tasks)

    assert "color" not in {column["name"] for column in inspect(tasks).get_columns("tasks")}


@ON_POSTGRESQL
def test_no_index_is_built_through_a_pooler(tasks: Engine, write: Write, monkeypatch: pytest.MonkeyPatch):
    # The number of the process that PgBouncer names is its own.
    monkeypatch.setattr("psycopg.ConnectionInfo.backend_pid", 0)
    write('steps.create_index("ix_tasks_updated", "tasks", ["updated_at"])')

    with pytest.raises(SchemaError, match="pooler"):
        migrate(tasks)


@ON_POSTGRESQL
def test_a_table_in_use_is_waited_for_by_turns(tasks: Engine, write: Write, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(schema, "LOCK_TIMEOUT_MILLISECONDS", 50)
    monkeypatch.setattr(schema, "PAUSE_SECONDS", 0)
    write(ADD_COLUMN)
    gave_way = Event()
    monkeypatch.setattr(schema._log, "warning", lambda _: gave_way.set())

    with ThreadPoolExecutor(1) as threads:
        with tasks.connect().execution_options(isolation_level="READ COMMITTED") as reader:
            reader.execute(text("SELECT count(*) FROM tasks"))
            migrating = threads.submit(migrate, tasks)
            assert gave_way.wait(HANGS_AFTER)
        migrating.result(HANGS_AFTER)

    assert pending(tasks) == []


@ON_POSTGRESQL
def test_a_table_that_is_always_in_use_is_not_migrated(tasks: Engine, write: Write, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(schema, "LOCK_TIMEOUT_MILLISECONDS", 10)
    monkeypatch.setattr(schema, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(schema, "TRIES", 3)
    write(ADD_COLUMN)

    with tasks.connect().execution_options(isolation_level="READ COMMITTED") as reader:
        reader.execute(text("SELECT count(*) FROM tasks"))
        with pytest.raises(SchemaError, match="does not end"):
            migrate(tasks)


@ON_POSTGRESQL
def test_an_index_is_built_while_others_wait_for_their_turn(tasks: Engine, write: Write):
    write(ADD_COLUMN, CREATE_INDEX)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(migrate, [tasks] * 4, timeout=HANGS_AFTER))

    assert pending(tasks) == []
