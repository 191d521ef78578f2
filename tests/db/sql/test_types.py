from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, literal, select
from sqlalchemy.exc import StatementError

from db.sql.engine import autocommit
from db.sql.types import Instant, Ranked, end_of_day
from db.tasks.tasks import PRIORITIES, STATUSES

offsets = st.timedeltas(timedelta(hours=-14), timedelta(hours=14)).map(lambda one: timedelta(minutes=one.seconds // 60))
instants = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=offsets.map(timezone))

with_fixtures = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@with_fixtures
@given(instants)
def test_an_instant_comes_back_as_the_same_moment_in_utc(database: None, moment: datetime):
    with autocommit() as connection:
        found = connection.execute(select(literal(moment, Instant))).scalar_one()

    assert found == moment
    assert found.tzinfo is UTC


def test_an_instant_comes_back_the_same_from_the_event_loop(everywhere: Callable[[Callable[[], Any]], list[Any]]):
    moment = datetime(2026, 3, 2, 8, 15, 42, 318_204, tzinfo=timezone(timedelta(hours=-7)))

    def work() -> Any:
        with autocommit() as connection:
            return connection.execute(select(literal(moment, Instant))).scalar_one()

    assert {(found, found.tzinfo) for found in everywhere(work)} == {(moment, UTC)}


@pytest.mark.parametrize("moment", [datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)], ids=str)
def test_the_ends_of_time_come_back_as_moments(everywhere: Callable[[Callable[[], Any]], list[Any]], moment: datetime):
    def work() -> Any:
        with autocommit() as connection:
            return connection.execute(select(literal(moment, Instant))).scalar_one()

    assert all(abs(found - moment) <= timedelta(microseconds=1) for found in everywhere(work))


def test_no_instant_stays_none(database: None):
    with autocommit() as connection:
        assert connection.execute(select(literal(None, Instant))).scalar() is None


@pytest.mark.parametrize("words", [STATUSES, PRIORITIES], ids=["statuses", "priorities"])
def test_words_come_back_and_sort_by_meaning(database: None, words: tuple[str, ...]):
    kind = Ranked(words)

    with autocommit() as connection:
        found = [connection.execute(select(literal(word, kind))).scalar_one() for word in words]
        in_order = [
            connection.execute(select(literal(first, kind) < literal(second, kind))).scalar_one()
            for first, second in pairwise(words)
        ]

    assert found == list(words)
    assert all(in_order)


def test_a_word_that_is_none_of_them_is_never_stored(own_engine: Engine):
    with own_engine.connect() as connection, pytest.raises(StatementError):
        connection.execute(select(literal("urgent", Ranked(PRIORITIES))))


def test_the_end_of_a_day_is_its_last_second_in_utc():
    assert end_of_day(date(2028, 2, 29)) == datetime(2028, 2, 29, 23, 59, 59, tzinfo=UTC)
    assert end_of_day(None) is None
