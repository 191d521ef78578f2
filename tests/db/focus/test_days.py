from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from db.focus.days import DAY, day_at, end_of, last_days, last_months, last_weeks, streaks, zone_of

ZONES = ("UTC", "Europe/Berlin", "America/Havana", "Africa/Cairo", "Asia/Kathmandu", "Australia/Lord_Howe")
instants = st.datetimes(datetime(2000, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC))
days = st.dates(date(2000, 1, 1), date(2030, 1, 1))


@pytest.mark.parametrize(("day", "hours"), [(date(2026, 3, 29), 23), (date(2026, 6, 10), 24), (date(2026, 10, 25), 25)])
def test_a_day_lasts_until_the_next_midnight(day: date, hours: int):
    berlin = ZoneInfo("Europe/Berlin")

    lasts = end_of(day, berlin) - end_of(day - DAY, berlin)

    assert lasts == timedelta(hours=hours)


def test_a_day_whose_midnight_is_left_out_begins_an_hour_later():
    cairo = ZoneInfo("Africa/Cairo")

    end = end_of(date(2026, 4, 23), cairo)

    assert end.astimezone(cairo).isoformat() == "2026-04-24T01:00:00+03:00"


@given(at=instants, name=st.sampled_from(ZONES))
def test_every_instant_lies_within_its_day(at: datetime, name: str):
    zone = ZoneInfo(name)

    day = day_at(at, zone)

    assert end_of(day - DAY, zone) <= at < end_of(day, zone)


@given(chosen=st.sets(days))
def test_streaks_are_the_longest_and_the_last_run_of_days(chosen: set[date]):
    def run_to(day: date) -> int:
        return run_to(day - DAY) + 1 if day in chosen else 0

    runs = [run_to(day) for day in sorted(chosen)] or [0]

    assert streaks(sorted(chosen)) == (max(runs), runs[-1])


def test_periods_begin_with_the_present_one():
    today = date(2026, 3, 1)

    assert last_days(today, 2) == [date(2026, 3, 1), date(2026, 2, 28)]
    assert last_weeks(today, 2) == [date(2026, 2, 23), date(2026, 2, 16)]
    assert last_months(today, 4) == [date(2026, 3, 1), date(2026, 2, 1), date(2026, 1, 1), date(2025, 12, 1)]


@pytest.mark.parametrize("preferences", [{}, {"timezone": None}, {"timezone": "Middle/Earth"}, {"timezone": ""}])
def test_an_account_without_a_time_zone_that_exists_lives_in_utc(preferences: dict[str, str | None]):
    assert zone_of(preferences) == ZoneInfo("UTC")
