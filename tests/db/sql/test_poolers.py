"""Poolers in transaction mode: what is refused at the start, and how all goes on without prepared statements."""

import asyncio
import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from shutil import chown, which
from tempfile import TemporaryDirectory
from typing import Any

import psycopg
import pytest
from sqlalchemy import URL, make_url, text
from sqlalchemy.util import greenlet_spawn

from db.sql import engine
from db.sql.engine import autocommit, transaction
from db.sql.poolers import LOSES_STATEMENTS, REFUSES_SETTINGS, PoolerError, check_sessions
from tests.db.conftest import engines_of_its_own, on_loop
from tests.trials.cluster.programs import SYSTEM, free_ports, wait_until

pytestmark = pytest.mark.on("postgresql")

PGBOUNCER = which("pgbouncer", path=SYSTEM)
IGNORING = "ignore_startup_parameters = statement_timeout,options"
SETS_ITSELF = ("statement_timeout = 1500", "timezone = 'UTC'")

needs_pgbouncer = pytest.mark.skipif(PGBOUNCER is None, reason="PgBouncer is not installed")

Pooler = Callable[..., str]


@pytest.fixture
def as_role(database_url: str, database: None, request: pytest.FixtureRequest) -> Iterator[Callable[..., URL]]:
    """Make roles whose connections have these settings, and name the database by them."""
    roles: list[str] = []

    def make(*settings: str) -> URL:
        roles.append(f"role_{abs(hash(request.node.name))}_{len(roles)}")
        with autocommit() as connection:
            connection.execute(text(f"CREATE ROLE {roles[-1]} LOGIN SUPERUSER"))
            for setting in settings:
                connection.execute(text(f"ALTER ROLE {roles[-1]} SET {setting}"))
        return make_url(database_url).set(username=roles[-1])

    yield make
    with autocommit() as connection:
        for role in roles:
            connection.execute(text(f"DROP ROLE {role}"))


@pytest.fixture
def pooled() -> Iterator[Pooler]:
    """Run PgBouncer in transaction mode before a database, and name the database by it."""
    processes: list[subprocess.Popen[bytes]] = []
    # Below /tmp, where PostgreSQL's own user may go.
    with TemporaryDirectory(prefix="pooler") as folder:

        def run(url: URL, *more: str) -> str:
            (port,) = free_ports(1)
            processes.append(start_pgbouncer(Path(folder), url, port, *more))
            there = URL.create("postgresql", url.username, None, "127.0.0.1", port, url.database)
            name = there.render_as_string(hide_password=False)
            wait_until("PgBouncer listens", lambda: answers(name))
            return name

        yield run
        for process in processes:
            process.kill()
            process.wait()


def start_pgbouncer(folder: Path, url: URL, port: int, *more: str) -> subprocess.Popen[bytes]:
    socket_folder = str(url.query["host"])
    settings = ["listen_addr = 127.0.0.1", f"listen_port = {port}", "unix_socket_dir =", "auth_type = trust"]
    settings += [f"auth_file = {folder}/roles.txt", "pool_mode = transaction", "default_pool_size = 8", *more]
    places = f"[databases]\n{url.database} = host={socket_folder}"
    (folder / "roles.txt").write_text(f'"{url.username}" ""\n')
    (folder / "pgbouncer.ini").write_text("\n".join([places, "[pgbouncer]", *settings, ""]))
    command = [str(PGBOUNCER), f"{folder}/pgbouncer.ini"]
    if os.geteuid() == 0:
        # PgBouncer does not run as root, and PostgreSQL's folder is its owner's alone.
        owner = Path(socket_folder).owner()
        for one in (folder, *folder.iterdir()):
            chown(one, owner)
        command = ["setpriv", "--reuid", owner, "--clear-groups", *command]
    return subprocess.Popen(command, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def keeping_none() -> str:
    """Have PgBouncer keep no prepared statements: from 1.21 on it can."""
    version = subprocess.run([str(PGBOUNCER), "--version"], capture_output=True, text=True, check=True).stdout.split()[
        1
    ]
    major, minor, *_ = version.split(".")
    return "max_prepared_statements = 0" if (int(major), int(minor)) >= (1, 21) else ""


def answers(url: str) -> bool:
    with suppress(psycopg.OperationalError), psycopg.connect(url, connect_timeout=2):
        return True
    return False


def test_a_database_of_its_own_is_as_it_has_to_be(database_url: str, database: None):
    check_sessions(database_url, prepared=True)


def test_an_sqlite_file_has_no_pooler(tmp_path: Path):
    check_sessions(f"sqlite:///{tmp_path}/quintet.db", prepared=False)


def test_without_prepared_statements_the_role_has_to_set_what_the_server_needs(as_role: Callable[..., URL]):
    plain, set_up = (as_role(*settings).render_as_string(hide_password=False) for settings in ((), SETS_ITSELF))

    check_sessions(set_up, prepared=False)
    with pytest.raises(PoolerError, match=r"ALTER ROLE … SET statement_timeout = 1500 \(now .* and 0\)"):
        check_sessions(plain, prepared=False)


@needs_pgbouncer
def test_a_pooler_that_passes_no_settings_on_is_refused(as_role: Callable[..., URL], pooled: Pooler):
    with pytest.raises(PoolerError) as refused:
        check_sessions(pooled(as_role(*SETS_ITSELF)), prepared=True)

    assert str(refused.value) == REFUSES_SETTINGS


@needs_pgbouncer
def test_a_pooler_that_keeps_no_prepared_statements_is_refused(as_role: Callable[..., URL], pooled: Pooler):
    with pytest.raises(PoolerError) as refused:
        check_sessions(pooled(as_role(*SETS_ITSELF), IGNORING, keeping_none()), prepared=True)

    assert str(refused.value) == LOSES_STATEMENTS


@needs_pgbouncer
def test_over_a_pooler_all_goes_on_without_prepared_statements(as_role: Callable[..., URL], pooled: Pooler):
    url = pooled(as_role(*SETS_ITSELF))
    check_sessions(url, prepared=False)

    with engines_of_its_own(url, prepared=False):
        asyncio.run(all_at_once(50))


async def all_at_once(how_many: int) -> None:
    try:
        await asyncio.gather(*[greenlet_spawn(ask, number) for number in range(how_many)])
    finally:
        await greenlet_spawn(engine.disconnect)


def ask(number: int) -> None:
    one = text("SELECT CAST(:number AS integer)")
    with autocommit() as connection:
        assert connection.execute(one, {"number": number}).scalar() == number
    with transaction() as session:
        assert [session.scalar(one, {"number": number + more}) for more in (0, 1)] == [number, number + 1]


def test_without_prepared_statements_none_is_left_on_a_connection(as_role: Callable[..., URL]):
    url = as_role(*SETS_ITSELF).render_as_string(hide_password=False)
    ask_for_statements = text("SELECT count(*) FROM pg_prepared_statements WHERE name <> ''")

    def work() -> list[Any]:
        for number in range(12):
            ask(number)
        with autocommit() as connection, transaction() as session:
            return [one.execute(ask_for_statements).scalar() for one in (connection, session)]

    with engines_of_its_own(url, prepared=False):
        assert [work(), asyncio.run(on_loop(work))] == [[0, 0]] * 2
