"""What the database cannot do in time, or not now: it is ended, it is `Unavailable`, and nothing stays behind."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import greenlet_spawn

from db.errors import ConnectionLost, DatabaseBusy, DatabaseFull, Unavailable
from db.sql import engine, sqlite, watch
from db.sql.deadlocks import trying_anew
from db.sql.engine import autocommit, ping, transaction
from tests.db.conftest import engines_of_its_own

ON_POSTGRESQL = pytest.mark.on("postgresql")
ON_SQLITE = pytest.mark.on("sqlite")

Everywhere = Callable[[Callable[[], Any]], list[Any]]

COUNTING = text("WITH RECURSIVE n (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM n WHERE n < :most) SELECT max(n) FROM n")


@pytest.fixture
def short_budget(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Let nobody have the database for longer than a moment."""
    monkeypatch.setattr(engine, "BUDGET_SECONDS", 0.05)
    monkeypatch.setattr(watch, "BUDGET_SECONDS", 0.2)
    monkeypatch.setattr(watch, "STATEMENT_TIMEOUT_MILLISECONDS", 150)
    yield
    watch.silence.until = 0.0


@ON_SQLITE
@pytest.mark.usefixtures("short_budget")
@pytest.mark.parametrize("begin", [autocommit, transaction])
def test_a_statement_that_takes_sqlite_too_long_is_ended(own_engine: Engine, begin: Callable[[], Any]):
    with pytest.raises(DatabaseBusy), begin() as asked:
        asked.execute(COUNTING, {"most": 10**9})

    with begin() as asked:
        assert asked.execute(COUNTING, {"most": 3}).scalar() == 3


@pytest.mark.usefixtures("short_budget")
def test_what_no_request_waits_for_may_take_as_long_as_it_takes(own_engine: Engine, on_postgresql: bool):
    slow, values = (text("SELECT pg_sleep(0.6), 1"), {}) if on_postgresql else (COUNTING, {"most": 400_000})

    with transaction(limited=False) as session:
        assert len(session.execute(slow, values).all()) == 1


@ON_POSTGRESQL
def test_postgresql_ends_a_statement_of_a_request_but_not_of_work_without_limits(everywhere: Everywhere):
    ask = text("SHOW statement_timeout")

    def limits() -> list[Any]:
        with autocommit() as connection, transaction() as session, transaction(limited=False) as other:
            return [asked.execute(ask).scalar() for asked in (connection, session, other)]

    assert everywhere(limits) == [["1500ms", "1500ms", "0"]] * 2


@ON_POSTGRESQL
def test_a_statement_that_takes_postgresql_too_long_leaves_a_connection_that_can_be_used(everywhere: Everywhere):
    def sleep() -> None:
        with autocommit() as connection:
            connection.execute(text("SET statement_timeout = 50"))
            connection.execute(text("SELECT pg_sleep(30)"))

    def work() -> Any:
        with pytest.raises(DatabaseBusy):
            sleep()
        with autocommit() as connection:
            return connection.execute(text("SELECT 1")).scalar()

    assert everywhere(work) == [1, 1]


@ON_POSTGRESQL
@pytest.mark.usefixtures("short_budget")
@pytest.mark.parametrize("begin", [autocommit, transaction])
def test_whoever_waits_for_a_server_that_hangs_is_told_so(everywhere: Everywhere, begin: Callable[[], Any]):
    def ask() -> None:
        with begin() as asked:
            server = asked.execute(text("SELECT pg_backend_pid()")).scalar()
            os.kill(server, signal.SIGSTOP)
            try:
                asked.execute(text("SELECT 1"))
            finally:
                os.kill(server, signal.SIGCONT)

    def work() -> Any:
        with pytest.raises(DatabaseBusy):
            ask()
        was_noticed = watch.is_silent()
        with begin() as asked:
            return was_noticed, asked.execute(text("SELECT 1")).scalar()

    assert everywhere(work) == [(True, 1)] * 2
    assert not watch.is_silent()


@ON_POSTGRESQL
@pytest.mark.usefixtures("short_budget")
def test_a_request_that_is_slow_as_a_whole_is_ended_and_nobody_else_refused(own_engine: Engine):
    async def search() -> None:
        try:
            await greenlet_spawn(ask_again_and_again)
        finally:
            await greenlet_spawn(engine.disconnect)

    with pytest.raises(DatabaseBusy):
        asyncio.run(search())

    assert not watch.is_silent()


def ask_again_and_again() -> None:
    with autocommit() as connection:
        while True:
            connection.execute(text("SELECT pg_sleep(0.05)"))


@ON_POSTGRESQL
@pytest.mark.usefixtures("short_budget")
def test_in_a_thread_the_time_between_two_statements_is_not_the_databases(own_engine: Engine):
    with transaction() as session:
        session.execute(text("SELECT 1"))
        watch.sleep(0.5)

        assert session.execute(text("SELECT 2")).scalar() == 2


@ON_POSTGRESQL
@pytest.mark.parametrize(
    ("state", "error"),
    [
        ("53100", DatabaseFull),
        ("53200", Unavailable),
        ("57P03", Unavailable),
        ("58030", Unavailable),
        ("55P03", DatabaseBusy),
    ],
)
def test_postgresqls_codes_for_what_may_pass_are_known(state: str, error: type[Exception], everywhere: Everywhere):
    failing = text(f"DO $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{state}'; END $$")

    def work() -> Any:
        with pytest.raises(Unavailable) as refusal, transaction() as session:
            session.execute(failing)
        return type(refusal.value)

    assert everywhere(work) == [error, error]


@ON_POSTGRESQL
def test_a_connection_that_is_ended_is_lost_not_busy(own_engine: Engine, everywhere: Everywhere):
    def work() -> Any:
        with pytest.raises(Unavailable) as refusal, transaction() as session:
            session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return type(refusal.value)

    assert everywhere(work) == [ConnectionLost, ConnectionLost]


@ON_POSTGRESQL
def test_a_server_that_is_not_there_is_unavailable(database: None, everywhere: Everywhere, tmp_path: Path):
    def work() -> None:
        with pytest.raises(Unavailable):
            ping()
        with pytest.raises(Unavailable), transaction():
            pass

    engine.connect(f"postgresql://nobody@/nothing?host={tmp_path}")

    everywhere(work)


@ON_SQLITE
def test_whoever_finds_sqlite_locked_for_too_long_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sqlite, "LOCK_TIMEOUT_MILLISECONDS", 50)

    with engines_of_its_own(f"sqlite:///{tmp_path}/quintet.db"), transaction():  # noqa: SIM117
        with pytest.raises(DatabaseBusy), transaction():
            pass


@ON_SQLITE
def test_a_full_file_of_sqlites_can_be_read(tmp_path: Path):
    with engines_of_its_own(f"sqlite:///{tmp_path}/quintet.db"):
        with autocommit() as connection:
            connection.execute(text("CREATE TABLE notes (words TEXT)"))
            connection.execute(text("INSERT INTO notes VALUES ('kept')"))
            connection.execute(text("PRAGMA max_page_count = 3"))

        with pytest.raises(DatabaseFull), transaction() as session:
            session.execute(text("INSERT INTO notes VALUES (:words)"), {"words": "x" * 100_000})

        with autocommit() as connection:
            assert connection.execute(text("SELECT words FROM notes")).scalars().all() == ["kept"]


def test_a_deadlock_that_happens_every_time_may_pass():
    class Deadlock(Exception):
        sqlstate = "40P01"

    def work() -> None:
        raise DBAPIError("", None, Deadlock())

    with pytest.raises(DatabaseBusy):
        trying_anew(work)


@ON_POSTGRESQL
@pytest.mark.parametrize("begin", [autocommit, transaction])
def test_a_connection_to_what_has_become_a_standby_is_not_used_again(everywhere: Everywhere, begin: Callable[[], Any]):
    write = text("INSERT INTO accounts SELECT * FROM accounts WHERE false")

    def work() -> bool:
        with autocommit() as connection:
            connection.exec_driver_sql("SET default_transaction_read_only = on")
        with pytest.raises(Unavailable), begin() as asked:
            asked.execute(write)
        with begin() as asked:
            return asked.execute(text("SHOW transaction_read_only")).scalar() == "off"

    assert everywhere(work) == [True, True]
