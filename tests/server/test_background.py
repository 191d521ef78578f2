"""Background work, with lanes that run it in threads."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from threading import Event

import pytest

from db import sweeping
from db.accounts.accounts import Account
from db.membership import leave
from db.sql.engine import autocommit, transaction
from server import background
from server.background import Job, background_work
from server.lanes import Threads
from tests.conftest import HANGS_AFTER, Person, once


async def until(condition: Callable[[], object]) -> None:
    """Wait for something that another thread does."""
    async with asyncio.timeout(HANGS_AFTER):
        while not condition():
            await asyncio.sleep(0.001)


def run_beside(job: Job, lane: Threads, during: Callable[[], Awaitable[None]]) -> None:
    """Do a job while something else goes on, and end it."""

    async def both() -> None:
        doing = asyncio.create_task(job.keep_on(lane))
        try:
            await during()
        finally:
            job.end()
            await asyncio.wait_for(doing, 10)

    asyncio.run(both())


def test_requests_get_their_turns_between_its_steps():
    done, may_end = list[str](), Event()
    lane = Threads(1)

    def step() -> bool:
        done.append("step")
        may_end.wait(HANGS_AFTER)
        return len(done) < 4

    async def request() -> None:
        await until(lambda: done)
        waiting = asyncio.create_task(lane.run(lambda: done.append("request")))
        await asyncio.sleep(0)
        may_end.set()
        await waiting
        await until(lambda: len(done) == 4)

    run_beside(Job(step, every_seconds=3_600), lane, request)

    assert done == ["step", "request", "step", "step"]


def test_it_begins_again_when_it_is_called_for():
    done = list[int]()

    def step() -> bool:
        done.append(1)
        return False

    job = Job(step, every_seconds=3_600)

    async def call() -> None:
        await until(lambda: len(done) == 1)
        await asyncio.sleep(0)
        job.is_called_for.set()
        await until(lambda: len(done) == 2)

    run_beside(job, Threads(1), call)

    assert len(done) == 2


def test_what_fails_is_logged_and_tried_again(caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(background, "RETRY_SECONDS", 0)
    outcomes = [OSError("the disk is full"), OSError("the disk is full"), None]
    done = list[int]()

    def step() -> bool:
        failure = outcomes[len(done)]
        done.append(1)
        if failure:
            raise failure
        return False

    async def wait() -> None:
        await until(lambda: len(done) == 3)

    with caplog.at_level(logging.ERROR):
        run_beside(Job(step, every_seconds=3_600), Threads(1), wait)

    assert [record.getMessage().endswith("step failed") for record in caplog.records] == [True, True]


def test_its_end_waits_for_the_step_that_has_begun_and_begins_no_other():
    done, may_end = list[str](), Event()

    def step() -> bool:
        done.append("begun")
        may_end.wait(HANGS_AFTER)
        done.append("ended")
        return True

    job = Job(step, every_seconds=3_600)

    async def end() -> None:
        await until(lambda: done)
        job.end()
        may_end.set()

    run_beside(job, Threads(1), end)

    assert done == ["begun", "ended"]


@once
def test_a_server_that_starts_sweeps_what_another_one_left(person: Person, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sweeping, "listeners", set())
    monkeypatch.setattr("db.membership.sweep_account", lambda *_: False)
    with transaction() as session:
        leave(session, person.id)

    async def serve() -> None:
        async with background_work(Threads(1)):
            await until(lambda: not is_there(person))

    asyncio.run(serve())

    assert not is_there(person)
    assert sweeping.listeners == set()


def is_there(person: Person) -> bool:
    with autocommit() as connection:
        return connection.execute(Account.__table__.select().where(Account.id == person.id)).first() is not None
