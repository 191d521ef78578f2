"""Commands of the real application, run in this process on a real database beside the server."""

from collections.abc import Callable
from pathlib import Path
from threading import get_ident
from types import SimpleNamespace
from typing import Any

import pytest
from click import Group
from click.testing import CliRunner, Result
from sqlalchemy import make_url, text

from app import create_app
from db import sweeping
from db.schema import migrate
from db.sql import engine
from tests.conftest import SECRET
from tests.db.conftest import engines_of_its_own, numbers

Run = Callable[..., Result]


class OfThisThread:
    """The engines of a command in this thread; the server in the others keeps its own, for its background work."""

    def __init__(self, others: object) -> None:
        vars(self).update(thread=get_ident(), own=SimpleNamespace(), others=others)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.own if get_ident() == self.thread else self.others, name)

    def __setattr__(self, name: str, value: object) -> None:
        setattr(self.own if get_ident() == self.thread else self.others, name, value)


@pytest.fixture(scope="session")
def cli() -> Group:
    return create_app().cli


@pytest.fixture
def run(cli: Group, own_folder: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> Run:
    """Run a command, with these variables set, on the database of the test if it has one."""

    def invoke(*arguments: str, typed: str | bytes = "", **environment: str) -> Result:
        urls = [one for one in ("own_database", "database_url") if one in request.fixturenames]
        known = {"JWT_SECRET_KEY": SECRET, **({"DATABASE_URL": request.getfixturevalue(urls[0])} if urls else {})}
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(engine, "_Engines", OfThisThread(engine._Engines))
            # In a process of its own it could not call the server's sweeper either.
            patch.setattr(sweeping, "listeners", set())
            return CliRunner().invoke(cli, arguments, input=typed, env=known | environment)

    return invoke


@pytest.fixture
def empty_database(database_url: str, base_url: str, tmp_path: Path) -> str:
    """A database of the test's own, with nothing in it; with SQLite its file is not there."""
    url, name = make_url(database_url), f"of_commands_{next(numbers)}"
    if url.get_backend_name() == "sqlite":
        return f"sqlite:///{tmp_path}/{name}.db"
    with engine.autocommit() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    return url.set(database=name).render_as_string(hide_password=False)


@pytest.fixture
def own_database(empty_database: str) -> str:
    """A database of the test's own, with the tables of this version."""
    with engines_of_its_own(empty_database) as own:
        migrate(own)
    return empty_database
