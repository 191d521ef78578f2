from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from language.texts import day_json, due_day_json, instant, instant_json, optional_instant_json, renamed

offsets = st.timedeltas(timedelta(hours=-14), timedelta(hours=14)).map(lambda one: timedelta(minutes=one.seconds // 60))
instants = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=offsets.map(timezone))


@given(instants)
def test_an_instant_is_written_in_utc_with_six_digits(moment: datetime):
    text = instant_json(moment.astimezone(UTC))

    assert len(text) == 27
    assert text.endswith("Z")
    assert instant(text) == moment


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-03-02T08:15:42Z", "2026-03-02T08:15:42.000000Z"),
        ("2026-03-02t08:15:42.5z", "2026-03-02T08:15:42.500000Z"),
        ("2026-03-02T08:15:42.123456789+00:00", "2026-03-02T08:15:42.123456Z"),
        ("2026-03-01T23:30:00-07:30", "2026-03-02T07:00:00.000000Z"),
        ("0001-01-01T14:00:00+14:00", "0001-01-01T00:00:00.000000Z"),
    ],
)
def test_an_instant_may_be_written_in_any_offset(text: str, expected: str):
    assert instant_json(instant(text)) == expected


@pytest.mark.parametrize("text", ["", "yesterday", "2026-02-30T00:00:00Z", "0001-01-01T00:00:00+14:00"])
def test_what_is_no_instant_is_refused(text: str):
    with pytest.raises((ValueError, OverflowError)):
        instant(text)


def test_an_instant_that_may_be_missing_is_null():
    assert optional_instant_json(None) is None
    assert optional_instant_json(datetime(2026, 3, 2, tzinfo=UTC)) == "2026-03-02T00:00:00.000000Z"


def test_a_day_is_written_with_four_digits_for_its_year():
    assert day_json(date(2026, 2, 28)) == "2026-02-28"
    assert day_json(date(33, 4, 3)) == "0033-04-03"


def test_a_day_that_may_be_missing_is_null():
    assert day_json(None) is None
    assert due_day_json(None) is None


def test_a_due_instant_is_written_as_its_day():
    assert due_day_json(datetime(2026, 2, 28, 23, 59, 59, tzinfo=UTC)) == "2026-02-28"


def test_only_members_that_were_sent_are_taken_under_the_models_names():
    body = {"title": "Sent", "due_date": None, "owner": 7}

    values = renamed(body, {"title": "title", "due_date": "due_on", "status": "status"})

    assert values == {"title": "Sent", "due_on": None}
