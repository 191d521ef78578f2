import asyncio
import sqlite3
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from threading import Timer

import pytest
from sqlalchemy import Engine, make_url, select, text
from sqlalchemy.exc import ArgumentError
from sqlalchemy.util import greenlet_spawn

from db.accounts.accounts import find_account
from db.errors import DatabaseBusy, NotFound
from db.sql import engine, sqlite
from db.sql.engine import autocommit, driver_url, ping, transaction, waits_on_loop
from db.sql.ownership import add, find_owned
from db.tasks.recurrence import RecurrencePattern
from db.tasks.tasks import Task
from tests.db.conftest import engines_of_its_own

MORNING = datetime(2026, 3, 2, 8, tzinfo=UTC)


@pytest.mark.parametrize(
    ("url", "driver"),
    [
        ("postgresql://maya@db.example/quintet", "postgresql+psycopg"),
        ("postgres://maya@db.example/quintet", "postgresql+psycopg"),
        ("postgresql+asyncpg://maya@db.example/quintet", "postgresql+psycopg"),
        ("postgresql+psycopg2://maya@db.example/quintet", "postgresql+psycopg"),
        ("sqlite:///var/quintet.db", "sqlite"),
        ("sqlite+aiosqlite:///var/quintet.db", "sqlite"),
    ],
)
def test_any_url_of_a_database_names_its_driver_here(url: str, driver: str):
    assert driver_url(url).drivername == driver


@pytest.mark.parametrize("url", ["", "quintet.db", "mysql://db.example/quintet", "http://db.example", "://"])
def test_other_databases_are_refused(url: str):
    with pytest.raises((ArgumentError, ValueError)):
        driver_url(url)


@pytest.mark.parametrize(
    ("words", "mode"), [("ssl=prefer", "prefer"), ("ssl=true", "require"), ("sslmode=allow", "allow")]
)
def test_tls_may_be_asked_for_in_the_words_of_any_driver(words: str, mode: str):
    assert dict(driver_url(f"postgresql+asyncpg://db.example/quintet?{words}").query) == {"sslmode": mode}


@pytest.mark.on("postgresql")
def test_a_database_that_need_not_use_tls_is_reached_in_all_ways(database_url: str, database: None):
    preferring = make_url(database_url).update_query_dict({"ssl": "prefer"}).render_as_string(hide_password=False)

    with engines_of_its_own(preferring):
        ping()
        asyncio.run(all_on_one_loop([ping]))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://maya:a,b@a.example:5432,b.example:5433/quintet?target_session_attrs=read-write",
        "postgresql://maya:a,b@a.example,b.example:5433/quintet?target_session_attrs=read-write",
        "postgresql://maya:a,b@/quintet?host=a.example&host=b.example:5433&target_session_attrs=read-write",
        "postgresql://maya:a,b@/quintet?host=a.example,b.example:5433&target_session_attrs=read-write",
        "postgresql://maya:a,b@/quintet?host=a.example,b.example&port=5432,5433&target_session_attrs=read-write",
    ],
)
def test_several_hosts_may_be_written_in_any_way(url: str):
    parsed = driver_url(url)

    assert (parsed.username, parsed.password, parsed.database, parsed.host) == ("maya", "a,b", "quintet", None)
    assert parsed.query == {
        "host": "a.example,b.example",
        "port": "5432,5433",
        "target_session_attrs": "read-write",
    }


@pytest.mark.parametrize("url", ["postgresql://maya:p,w/d@db.example/quintet", "postgresql://maya@db.example/a,b"])
def test_a_comma_elsewhere_makes_no_second_host(url: str):
    assert driver_url(url).host == "db.example"


@pytest.mark.on("postgresql")
def test_the_host_that_can_be_written_to_is_found(database_url: str, database: None, tmp_path: Path):
    url = make_url(database_url)
    hosts = {"host": f"{tmp_path},{url.query['host']}", "port": "5432,5432", "target_session_attrs": "read-write"}
    several = url.update_query_dict(hosts).render_as_string(hide_password=False)

    with engines_of_its_own(several):
        ping()
        asyncio.run(all_on_one_loop([ping]))


def test_only_postgresql_waits_on_the_loop(database: None, on_postgresql: bool):
    assert waits_on_loop() == on_postgresql


def test_returning_commits(owner: int):
    with transaction() as session:
        find_account(session, owner).password_hash = "another"

    with transaction() as session:
        assert find_account(session, owner).password_hash == "another"


def test_raising_rolls_back(owner: int):
    with pytest.raises(NotFound):
        rename_and_fail(owner)

    with transaction() as session:
        assert find_account(session, owner).username != "Never"


def test_the_database_works_in_utc(database: None, on_postgresql: bool):
    ask = "SHOW timezone" if on_postgresql else "SELECT 'UTC'"

    with autocommit() as connection:
        assert connection.execute(text(ask)).scalar() == "UTC"


@pytest.mark.on("sqlite")
@pytest.mark.parametrize(
    ("pragma", "value"), [("foreign_keys", 1), ("journal_mode", "wal"), ("synchronous", 2), ("busy_timeout", 5_000)]
)
def test_sqlite_is_set_up_to_lose_nothing(own_engine: Engine, pragma: str, value: object):
    with own_engine.connect() as connection:
        assert connection.execute(text(f"PRAGMA {pragma}")).scalar() == value


@pytest.fixture
def writer(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    """Another connection, which is just writing to a new file of SQLite's."""
    writer = sqlite3.connect(tmp_path / "quintet.db", isolation_level=None, check_same_thread=False)
    writer.execute("BEGIN IMMEDIATE")
    yield writer
    writer.close()


def test_sqlite_waits_for_whoever_writes_to_a_new_file(writer: sqlite3.Connection, tmp_path: Path):
    Timer(0.3, writer.rollback).start()

    with engines_of_its_own(f"sqlite:///{tmp_path}/quintet.db") as own, own.connect() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"


@pytest.mark.usefixtures("writer")
def test_sqlite_waits_no_longer_than_for_other_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sqlite, "LOCK_TIMEOUT_MILLISECONDS", 50)

    with engines_of_its_own(f"sqlite:///{tmp_path}/quintet.db"), pytest.raises(DatabaseBusy):
        ping()


def test_a_ping_says_nothing_when_the_database_answers(database: None):
    ping()


@pytest.mark.on("postgresql")
def test_fifty_on_one_loop_complete_a_task_and_make_one_copy(owner: int, own_engine: Engine):
    with transaction() as session:
        values = {"title": "Water the plants", "recurrence": RecurrencePattern(pattern_type="daily")}
        task_id = add(session, Task, values, owner=owner, at=MORNING).id

    asyncio.run(all_on_one_loop([partial(complete, owner, task_id, minute) for minute in range(50)]))

    with transaction() as session:
        tasks = session.scalars(select(Task).where(Task.account_id == owner)).all()
        assert sorted(task.status for task in tasks) == ["completed", "pending"]


async def all_on_one_loop(works: list[Callable[[], None]]) -> None:
    try:
        await asyncio.gather(*[greenlet_spawn(work) for work in works])
    finally:
        await greenlet_spawn(engine.disconnect)


def complete(owner: int, task_id: int, minute: int) -> None:
    with transaction() as session:
        find_owned(session, Task, task_id, owner=owner).complete(MORNING + timedelta(minutes=minute))


def rename_and_fail(owner: int) -> None:
    with transaction() as session:
        find_account(session, owner).rename(username="Never", at=MORNING)
        session.flush()
        raise NotFound("There is no such task.")
