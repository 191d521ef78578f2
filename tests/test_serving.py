"""What a start warns of."""

import pytest
from sqlalchemy import create_engine

from db.sql.capacity import room_for_connections
from db.sql.urls import driver_url
from serving import crowding
from tests.conftest import both


@both
def test_only_postgresql_bounds_its_connections(database_url: str):
    engine = create_engine(driver_url(database_url))

    room = room_for_connections(engine)

    assert room == (None if database_url.startswith("sqlite") else 97)
    engine.dispose()


@pytest.mark.parametrize(("workers", "room"), [(1, 14), (4, 50)])
def test_more_connections_than_there_is_room_for_are_warned_of(workers: int, room: int):
    (warning,) = crowding(workers, room)

    assert f"PostgreSQL has room for {room} of all its clients" in warning
    assert "lower WORKERS" in warning


@pytest.mark.parametrize(("workers", "room"), [(1, 97), (256, None)])
def test_where_there_is_room_for_all_nothing_is_said(workers: int, room: int | None):
    assert crowding(workers, room) == []
