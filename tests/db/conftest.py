from collections.abc import Callable

import pytest
from sqlalchemy import create_engine, make_url, text

from db.engine import AUTOCOMMIT, driver_url


@pytest.fixture(scope="session")
def new_database(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    """Make databases beside the one that is served, each empty."""

    def make(name: str) -> str:
        if database_url.startswith("sqlite"):
            return f"sqlite:///{tmp_path_factory.mktemp(name)}/{name}.db"
        engine = create_engine(driver_url(database_url), **AUTOCOMMIT)
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return make_url(database_url).set(database=name).render_as_string(hide_password=False)

    return make
