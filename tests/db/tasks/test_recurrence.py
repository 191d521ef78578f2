from datetime import UTC, datetime, timedelta

import pytest
from dateutil.relativedelta import relativedelta
from hypothesis import example, given
from hypothesis import strategies as st

from db.tasks.recurrence import PATTERN_TYPES, RecurrencePattern, step

UNITS = {
    "daily": relativedelta(days=1),
    "weekly": relativedelta(weeks=1),
    "monthly": relativedelta(months=1),
    "yearly": relativedelta(years=1),
}

instants = st.datetimes(timezones=st.just(UTC))
pattern_types = st.sampled_from(PATTERN_TYPES)


@given(instants, pattern_types, st.integers(1, 1_000))
@example(datetime(2024, 2, 29, 23, 59, 59, tzinfo=UTC), "yearly", 1)
@example(datetime(2024, 2, 29, tzinfo=UTC), "yearly", 4)
@example(datetime(2026, 1, 31, tzinfo=UTC), "monthly", 1)
@example(datetime(2026, 12, 31, tzinfo=UTC), "monthly", 2)
@example(datetime(9999, 12, 31, tzinfo=UTC), "daily", 1)
@example(datetime(9999, 11, 30, tzinfo=UTC), "monthly", 1)
@example(datetime(9999, 12, 1, tzinfo=UTC), "monthly", 1)
def test_a_step_is_what_the_calendar_says(instant: datetime, pattern_type: str, interval: int):
    assert step(instant, pattern_type, interval) == step_by_calendar(instant, pattern_type, interval)


@given(instants, pattern_types, st.integers(1, 2**63))
def test_a_step_goes_on_or_past_the_end_of_time(instant: datetime, pattern_type: str, interval: int):
    on = step(instant, pattern_type, interval)

    assert on is None or on > instant


@pytest.mark.parametrize(
    ("due", "pattern_type", "interval", "expected"),
    [
        ("2026-03-01", "daily", 1, "2026-03-02"),
        ("2026-02-28", "daily", 2, "2026-03-02"),
        ("2026-12-28", "weekly", 1, "2027-01-04"),
        ("2026-01-31", "monthly", 1, "2026-02-28"),
        ("2028-01-31", "monthly", 1, "2028-02-29"),
        ("2026-03-31", "monthly", 3, "2026-06-30"),
        ("2028-02-29", "yearly", 1, "2029-02-28"),
        ("2028-02-29", "yearly", 4, "2032-02-29"),
        ("2096-02-29", "yearly", 4, "2100-02-28"),
    ],
)
def test_month_ends_and_leap_days_clamp(due: str, pattern_type: str, interval: int, expected: str):
    pattern = RecurrencePattern(pattern_type=pattern_type, interval=interval, occurrence_number=1)

    next_due = pattern.next_due(datetime.fromisoformat(f"{due}T23:59:59+00:00"))

    assert next_due == datetime.fromisoformat(f"{expected}T23:59:59+00:00")


@pytest.mark.parametrize("pattern_type", PATTERN_TYPES)
def test_nothing_is_due_after_the_year_9999(pattern_type: str):
    pattern = RecurrencePattern(pattern_type=pattern_type, interval=1, occurrence_number=1)

    assert pattern.next_due(datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)) is None


def test_the_end_is_the_last_instant_that_counts():
    due = datetime(2026, 3, 1, tzinfo=UTC)
    next_due = due + timedelta(days=1)
    ends = [next_due - timedelta(microseconds=1), next_due, next_due + timedelta(microseconds=1), None]

    found = [
        RecurrencePattern(pattern_type="daily", interval=1, end_at=end, occurrence_number=1).next_due(due)
        for end in ends
    ]

    assert found == [None, next_due, next_due, next_due]


@given(st.integers(1, 12), st.integers(1, 12))
def test_there_are_as_many_occurrences_as_were_asked_for(count: int, interval: int):
    due = datetime(2026, 1, 31, tzinfo=UTC)
    pattern = RecurrencePattern(pattern_type="monthly", interval=interval, occurrences_count=count, occurrence_number=1)

    occurrences = 1
    while (next_due := pattern.next_due(due)) is not None:
        due, pattern, occurrences = next_due, pattern.successor(due), occurrences + 1

    assert occurrences == count


@pytest.mark.parametrize(
    ("due", "pattern_type", "interval", "expected"),
    [
        ("2026-01-31", "monthly", 1, ["2026-02-28", "2026-03-31", "2026-04-30", "2026-05-31"]),
        ("2026-01-30", "monthly", 1, ["2026-02-28", "2026-03-30"]),
        ("2026-12-31", "monthly", 2, ["2027-02-28", "2027-04-30", "2027-06-30", "2027-08-31"]),
        ("2028-02-29", "yearly", 1, ["2029-02-28", "2030-02-28", "2031-02-28", "2032-02-29"]),
        ("2026-01-31", "weekly", 4, ["2026-02-28", "2026-03-28"]),
    ],
)
def test_a_shorter_month_is_forgotten_in_the_next_longer_one(
    due: str, pattern_type: str, interval: int, expected: list[str]
):
    pattern = RecurrencePattern(pattern_type=pattern_type, interval=interval, occurrence_number=1)

    assert days_after(pattern, due, times=len(expected)) == expected


@given(instants, st.sampled_from(["monthly", "yearly"]), st.integers(1, 50), st.integers(1, 30))
def test_an_occurrence_is_where_one_long_step_from_the_first_would_lead(
    first: datetime, pattern_type: str, interval: int, times: int
):
    due, pattern = first, RecurrencePattern(pattern_type=pattern_type, interval=interval, occurrence_number=1)

    for _ in range(times):
        due, pattern = (due and pattern.next_due(due)), pattern.successor(due or first)

    assert due == step_by_calendar(first, pattern_type, interval * times)


def test_a_pattern_of_another_type_begins_with_the_day_that_it_finds():
    end_of_january = datetime(2026, 1, 31, tzinfo=UTC)
    pattern = RecurrencePattern(pattern_type="monthly", interval=1, occurrence_number=1).successor(end_of_january)

    pattern.change({"pattern_type": "yearly"})

    assert days_after(pattern, "2026-02-28", times=2) == ["2027-02-28", "2028-02-28"]


def test_a_pattern_that_is_given_another_interval_keeps_its_day():
    end_of_january = datetime(2026, 1, 31, tzinfo=UTC)
    pattern = RecurrencePattern(pattern_type="monthly", interval=1, occurrence_number=1).successor(end_of_january)

    pattern.change({"pattern_type": "monthly", "interval": 3})

    assert days_after(pattern, "2026-02-28", times=1) == ["2026-05-31"]


def test_the_pattern_of_the_next_occurrence_differs_in_its_number_alone():
    end = datetime(2030, 1, 1, tzinfo=UTC)
    pattern = RecurrencePattern(pattern_type="weekly", interval=2, end_at=end, occurrences_count=9, occurrence_number=4)

    successor = pattern.successor(end)

    assert (successor.pattern_type, successor.interval, successor.end_at) == ("weekly", 2, end)
    assert (successor.occurrences_count, successor.occurrence_number) == (9, 5)


def days_after(pattern: RecurrencePattern, due: str, *, times: int) -> list[str]:
    """List the days of the next occurrences."""
    due_at, days = datetime.fromisoformat(f"{due}T23:59:59+00:00"), []
    for _ in range(times):
        next_due = pattern.next_due(due_at)
        assert next_due is not None
        pattern, due_at = pattern.successor(due_at), next_due
        days.append(str(due_at.date()))
    return days


def step_by_calendar(instant: datetime, pattern_type: str, interval: int) -> datetime | None:
    try:
        return instant + UNITS[pattern_type] * interval
    except (OverflowError, ValueError):
        return None
