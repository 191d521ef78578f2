"""Schema changes over a million tasks, while others read and write them: who has to wait, and for how long?

`make migration-trial` runs every revision after the first one, and a sample of each kind that `docs/operations.md`
allows, on a PostgreSQL of its own. Meanwhile one connection writes tasks, another one reads for two seconds at a time,
and a third looks every 50 ms who holds or waits for a lock that conflicts with reading or writing. In `make test` the
tasks are fewer (`tests/db/test_migration_trial.py`).
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from shutil import copy
from tempfile import TemporaryDirectory
from threading import Barrier, Event, Thread
from time import perf_counter
from typing import Any

from sqlalchemy import Connection, Engine, text

from db import schema
from db.schema import migrate
from db.sql.engine import connect, disconnect
from tests.db.throw_away import CONTRACTION, fill, revisions, write_revisions
from tests.trials.people import database, looking_at

MOST_SECONDS = 1.0
LOOK_EVERY_SECONDS = 0.05
REPORT_SECONDS, BETWEEN_REPORTS_SECONDS = 2.0, 1.0

SAMPLES = {
    "add a column that may be null": 'op.add_column("tasks", sa.Column("color", sa.String(7)))',
    "add a column with a constant default": (
        'op.add_column("tasks", sa.Column("weight", sa.SmallInteger(), nullable=False, server_default="1"))'
    ),
    "create an index": 'steps.create_index("ix_tasks_color", "tasks", ["account_id", "color"])',
    "fill the column in batches": (
        'table = sa.table("tasks", sa.column("color"))\n'
        'steps.in_batches("tasks", lambda some: op.execute(sa.update(table).where(some).values(color="red")))'
    ),
    "add a check": 'steps.add_check("color_known", "tasks", "color IN (\'red\', \'blue\')")',
    "drop the index": 'steps.drop_index("ix_tasks_color", "tasks")',
    "drop the column": f'{CONTRACTION}\nop.drop_column("tasks", "color")',
}

MORE_TASKS = text(
    "INSERT INTO tasks (account_id, uuid, title, title_key, status, priority, due_at, created_at, updated_at)"
    " SELECT (SELECT max(id) FROM accounts), gen_random_uuid(), 'Task ' || n, 'task ' || n, 1, 1 + n % 3,"
    " now() + n * interval '1 minute', now() - n * interval '1 second', now() FROM generate_series(1, :tasks) n"
)
WRITES = (
    MORE_TASKS.bindparams(tasks=1),
    text(
        "UPDATE tasks SET priority = 1 + priority % 3"
        " WHERE id = (SELECT 1 + CAST(random() * max(id) AS bigint) FROM tasks)"
    ),
)
REPORT = text("SELECT count(*) FROM (SELECT 1 FROM tasks LIMIT 1000) few")
LOCKS = text(
    "SELECT pid, relname, mode, granted FROM pg_locks JOIN pg_class ON pg_class.oid = relation"
    " WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'i') AND pid <> pg_backend_pid()"
    " AND mode IN ('ShareLock', 'ShareRowExclusiveLock', 'ExclusiveLock', 'AccessExclusiveLock')"
)


@dataclass
class Seen:
    """What was seen while one revision ran, in seconds."""

    held: float = 0.0
    waited_for: float = 0.0
    writes: list[float] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def is_short(self) -> bool:
        """Check whether nobody had to wait for long."""
        return max(self.held, self.waited_for, *self.writes) <= MOST_SECONDS and not self.errors


Turns = Callable[[Connection, Event, Seen], Iterator[None]]


def observe(engine: Engine, work: Callable[[], None]) -> Seen:
    """Do some work while others read, write and look."""
    seen, over = Seen(), Event()
    turns = (_write, _report, _look)
    begun = Barrier(len(turns) + 1)
    threads = [Thread(target=_until, args=(engine, begun, over, seen, turn)) for turn in turns]
    for thread in threads:
        thread.start()
    begun.wait()
    began = perf_counter()
    try:
        work()
    finally:
        seen.seconds = perf_counter() - began
        over.set()
        for thread in threads:
            thread.join()
    return seen


def _until(engine: Engine, begun: Barrier, over: Event, seen: Seen, turns: Turns) -> None:
    try:
        with engine.connect() as connection:
            for number, _ in enumerate(turns(connection, over, seen)):
                if not number:
                    begun.wait()
                if over.is_set():
                    return
    except Exception as error:  # noqa: BLE001 (whatever a client of the database meets belongs into the table)
        begun.abort()
        seen.errors.append(str(error).splitlines()[0])


def _write(connection: Connection, _over: Event, seen: Seen) -> Iterator[None]:
    while True:
        for write in WRITES:
            began = perf_counter()
            connection.execute(write)
            connection.commit()
            seen.writes.append(perf_counter() - began)
            yield


def _report(connection: Connection, over: Event, _seen: Seen) -> Iterator[None]:
    while True:
        connection.execute(REPORT)
        yield
        over.wait(REPORT_SECONDS)
        connection.rollback()
        over.wait(BETWEEN_REPORTS_SECONDS)


def _look(connection: Connection, over: Event, seen: Seen) -> Iterator[None]:
    since: dict[Any, float] = {}
    while True:
        rows = {tuple(row) for row in connection.execute(LOCKS)}
        connection.rollback()
        now = perf_counter()
        since = {row: since.get(row, now) for row in rows}
        for row, first in since.items():
            name = "held" if row[-1] else "waited_for"
            setattr(seen, name, max(getattr(seen, name), now - first + LOOK_EVERY_SECONDS))
        over.wait(LOOK_EVERY_SECONDS)
        yield


@contextmanager
def one_by_one(folder: Path) -> Iterator[dict[str, Path]]:
    """Have no revision but those that are copied into a folder; list those there are and the samples, oldest first."""
    before, schema.FOLDERS = schema.FOLDERS, [folder]
    with TemporaryDirectory() as aside:
        written = write_revisions(Path(aside), list(SAMPLES.values()))
        samples = {name: Path(aside) / f"{revision}.py" for name, revision in zip(SAMPLES, written, strict=True)}
        yield revisions() | samples
    schema.FOLDERS = before


def run(engine: Engine, others: Engine, folder: Path, tasks: int) -> Iterator[tuple[str, Seen]]:
    """Run all revisions on an empty database, one by one, and give what was seen with each after the first."""
    with one_by_one(folder) as paths:
        for number, (name, path) in enumerate(paths.items()):
            copy(path, folder)
            if number:
                yield name, observe(others, lambda: migrate(engine))
            else:
                migrate(engine)
                fill(engine, 1)
                with others.begin() as connection:
                    connection.execute(MORE_TASKS, {"tasks": tasks})


def main() -> int:
    """Run the trial, and return 1 where somebody had to wait for more than a second."""
    options = argparse.ArgumentParser(prog="make migration-trial", description=__doc__)
    options.add_argument("--tasks", type=int, default=1_000_000)
    given = options.parse_args()
    long = 0
    print("| revision | seconds | lock held | lock waited for | writes | slowest write | short |")
    print("|---|---|---|---|---|---|---|")
    with database("postgresql") as (url, _), looking_at(url) as others, TemporaryDirectory() as folder:
        for name, seen in run(connect(url), others, Path(folder), given.tasks):
            long += not seen.is_short
            print(_line(name, seen), flush=True)
        disconnect()
    return 1 if long else 0


def _line(name: str, seen: Seen) -> str:
    slowest = max(seen.writes, default=0.0)
    short = "yes" if seen.is_short else f"**no** {'; '.join(seen.errors)}"
    times = f"{seen.held:.2f} s | {seen.waited_for:.2f} s | {len(seen.writes)} | {slowest:.2f} s"
    return f"| {name} | {seen.seconds:.1f} | {times} | {short} |"


if __name__ == "__main__":
    sys.exit(main())
