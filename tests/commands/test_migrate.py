"""`migrate`: the schema, by hand."""

import sqlite3
from pathlib import Path

import pytest

from tests.commands.conftest import Run


def test_it_brings_a_database_up_to_date_once(run: Run, empty_database: str):
    first = run("migrate", DATABASE_URL=empty_database)
    second = run("migrate", DATABASE_URL=empty_database)

    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.stdout.startswith("migrated: 0001")
    assert second.stdout == "The schema is current.\n"


def test_a_check_lists_what_is_pending_and_changes_nothing(run: Run, empty_database: str):
    checks = [run("migrate", "--check", DATABASE_URL=empty_database) for _ in range(2)]
    run("migrate", DATABASE_URL=empty_database)
    afterwards = run("migrate", "--check", DATABASE_URL=empty_database)

    assert [check.exit_code for check in checks] == [1, 1]
    assert all("pending: 0001" in check.output or "there is no database" in check.output for check in checks)
    assert (afterwards.exit_code, afterwards.stdout) == (0, "The schema is current.\n")


def test_other_commands_ask_for_it(run: Run, empty_database: str):
    asked = run("account", "list", DATABASE_URL=empty_database)

    assert (asked.exit_code, asked.stderr.count("\n")) == (1, 1)
    assert "`migrate`" in asked.stderr


@pytest.mark.on("sqlite")
def test_tables_of_another_version_are_told(run: Run, tmp_path: Path):
    with sqlite3.connect(tmp_path / "newer.db") as database:
        database.execute("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)")
        database.execute("INSERT INTO alembic_version VALUES ('9999')")
    database.close()

    done = [run(*one, DATABASE_URL=f"sqlite:///{tmp_path}/newer.db") for one in (["migrate"], ["config"])]

    assert [(one.exit_code, "another version's tables" in one.stderr) for one in done] == [(1, True)] * 2
