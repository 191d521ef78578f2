import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest
from sqlalchemy import Engine, make_url, text
from sqlalchemy.util import greenlet_spawn

import clock
from db.membership import join
from db.sql import engine

numbers = count(1)


@pytest.fixture
def database(base_url: str) -> None:
    """The database of this process, brought up to date by the server's start."""


@pytest.fixture
def new_owner(database: None) -> Callable[[], int]:
    """Open accounts, for things to belong to."""

    def make() -> int:
        name = f"owner{next(numbers)}"
        with engine.transaction() as session:
            return join(
                session, username=name, email=f"{name}@quintet.example", password_hash="unused", at=clock.now()
            ).id

    return make


@pytest.fixture
def owner(new_owner: Callable[[], int]) -> int:
    return new_owner()


@pytest.fixture
def on_postgresql(database_url: str) -> bool:
    return database_url.startswith("postgresql")


@pytest.fixture
def own_engine(database_url: str, database: None) -> Iterator[Engine]:
    """An engine of this test alone, on the same database: its connections may be broken."""
    with engines_of_its_own(database_url) as own:
        yield own


@pytest.fixture(scope="session")
def new_database(database_url: str, base_url: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Make databases beside the one that is served, each empty."""

    def make(name: str) -> str:
        name = f"{name}_{next(numbers)}"
        url = make_url(database_url)
        if url.get_backend_name() == "sqlite":
            return f"sqlite:///{tmp_path_factory.mktemp(name)}/{name}.db"
        with engine.autocommit() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        return url.set(database=name).render_as_string(hide_password=False)

    return make


@pytest.fixture
def empty_database(new_database: Callable[[str], str]) -> Iterator[Engine]:
    """A database with nothing in it, which is this process's until the test is over."""
    with engines_of_its_own(new_database("scratch")) as own:
        yield own


@contextmanager
def engines_of_its_own(url: str, **how: Any) -> Iterator[Engine]:
    """Connect to a database aside of the server in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(engine, "_Engines", type("_Engines", (), {}))
        yield engine.connect(url, **how)
        engine.disconnect()


@pytest.fixture
def everywhere(own_engine: Engine) -> Callable[[Callable[[], Any]], list[Any]]:
    """Run work in all the ways that requests are: in a thread and, on PostgreSQL, in a greenlet on the event loop."""

    def run(work: Callable[[], Any]) -> list[Any]:
        return [work(), asyncio.run(on_loop(work))] if engine.waits_on_loop() else [work()]

    return run


async def on_loop(work: Callable[[], Any]) -> Any:
    try:
        return await greenlet_spawn(work)
    finally:
        await greenlet_spawn(engine.disconnect)
