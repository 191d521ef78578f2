from datetime import UTC, datetime, timedelta

import httpx
import pytest
from sqlalchemy import update

from db.accounts.accounts import Account
from db.sql.engine import transaction
from tests.conftest import Person
from tests.focusguard.conftest import Clock, error_of, in_days

pytestmark = pytest.mark.usefixtures("lasting_tokens")


def focus(client: httpx.Client, minutes: int = 25) -> str:
    """Start a session and complete it."""
    session_id = client.post("/api/sessions", json={"duration_min": minutes}).json()["id"]
    client.patch(f"/api/sessions/{session_id}", json={"completed": True})
    return session_id


def move_to(person: Person, zone: str) -> None:
    with transaction() as session:
        session.execute(update(Account).where(Account.id == person.id).values(preferences={"timezone": zone}))


def streaks_of(client: httpx.Client) -> tuple[int, int]:
    stats = client.get("/api/stats/me").json()
    return stats["current_streak"], stats["best_streak"]


def test_statistics_begin_with_zeros(person: Person):
    response = person.client.get("/api/stats/me")

    stats = response.json()
    assert stats == {
        "user_id": person.uuid,
        "total_focus_min": 0,
        "total_sessions": 0,
        "current_streak": 0,
        "best_streak": 0,
        "updated_at": stats["updated_at"],
    }


def test_an_open_session_counts_for_nothing(client: httpx.Client):
    client.post("/api/sessions", json={"duration_min": 25})

    stats = client.get("/api/stats/me").json()
    assert (stats["total_sessions"], stats["total_focus_min"]) == (0, 0)


@pytest.mark.parametrize(("xp", "level"), [(49, 1), (50, 1), (199, 1), (200, 2), (1250, 5), (3200, 8), (5000, 10)])
def test_minutes_are_experience_and_lead_to_levels(client: httpx.Client, clock: Clock, xp: int, level: int):
    for minutes in (*[1000] * (xp // 1000), xp % 1000):
        focus(client, minutes)
        clock.wait(days=1)

    user = client.get("/api/users/me").json()

    assert (user["xp_points"], user["lvl"]) == (xp, level)


def test_a_streak_grows_by_days_and_lasts_until_the_day_after(client: httpx.Client, clock: Clock):
    for _ in range(3):
        focus(client)
        focus(client)
        clock.wait(days=1)

    assert streaks_of(client) == (3, 3)
    clock.wait(days=1)
    assert streaks_of(client) == (0, 3)
    focus(client)
    assert streaks_of(client) == (1, 3)


def test_a_deletion_recounts_the_streaks(client: httpx.Client, clock: Clock):
    ids: list[str] = []
    for _ in range(5):
        ids.append(focus(client))
        clock.wait(days=1)

    client.delete(f"/api/sessions/{ids[2]}")

    assert streaks_of(client) == (2, 2)
    client.delete(f"/api/sessions/{ids[4]}")
    assert streaks_of(client) == (0, 2)


def test_days_are_shown_newest_first_with_those_that_are_empty(client: httpx.Client, clock: Clock):
    focus(client, 25)
    focus(client, 30)
    clock.wait(days=2)
    focus(client, 10)

    response = client.get("/api/stats/daily/4")

    today = clock.at.date()
    assert response.json()["daily_stats"] == [
        {"date": str(today), "focus_min": 10, "sessions_completed": 1},
        {"date": str(today - timedelta(days=1)), "focus_min": 0, "sessions_completed": 0},
        {"date": str(today - timedelta(days=2)), "focus_min": 55, "sessions_completed": 2},
        {"date": str(today - timedelta(days=3)), "focus_min": 0, "sessions_completed": 0},
    ]


@pytest.mark.parametrize("days", [1, 366])
def test_as_many_days_are_shown_as_asked_for(client: httpx.Client, days: int):
    assert len(client.get(f"/api/stats/daily/{days}").json()["daily_stats"]) == days


@pytest.mark.parametrize("days", ["0", "367", "-1", "abc", "7.5", "99999999999999999999"])
def test_a_number_of_days_that_is_none_is_bad_input(client: httpx.Client, days: str):
    assert error_of(client.get(f"/api/stats/daily/{days}")) == (422, "BAD_INPUT")


def test_trends_show_twelve_weeks_and_months(client: httpx.Client, clock: Clock):
    clock.at = datetime(2026, 2, 27, 12, tzinfo=UTC)
    focus(client, 10)
    clock.at = datetime(2026, 3, 1, 12, tzinfo=UTC)
    focus(client, 20)
    clock.at = datetime(2026, 3, 2, 12, tzinfo=UTC)
    focus(client, 40)

    trends = client.get("/api/stats/trends").json()

    assert [week["period_start"] for week in trends["weekly"][:3]] == ["2026-03-02", "2026-02-23", "2026-02-16"]
    assert [week["focus_min"] for week in trends["weekly"][:3]] == [40, 30, 0]
    assert trends["weekly"][-1]["period_start"] == "2025-12-15"
    assert [month["period_start"] for month in trends["monthly"][:3]] == ["2026-03-01", "2026-02-01", "2026-01-01"]
    assert [month["focus_min"] for month in trends["monthly"][:3]] == [60, 10, 0]
    assert trends["monthly"][-1]["period_start"] == "2025-04-01"
    assert [week["sessions_completed"] for week in trends["weekly"][:2]] == [1, 2]


def test_a_day_ends_at_midnight_in_the_accounts_time_zone(person: Person, clock: Clock):
    move_to(person, "America/New_York")
    clock.at = datetime(2026, 6, 11, 3, 59, 59, tzinfo=UTC)
    focus(person.client, 10)
    clock.at = datetime(2026, 6, 11, 4, tzinfo=UTC)

    focus(person.client, 20)

    assert in_days(person.client)[:2] == [(20, 1), (10, 1)]
    assert person.client.get("/api/stats/daily/1").json()["daily_stats"][0]["date"] == "2026-06-11"


@pytest.mark.parametrize(
    ("day", "first", "last"),
    [
        ("2026-03-29", datetime(2026, 3, 28, 23, tzinfo=UTC), datetime(2026, 3, 29, 21, 59, 59, tzinfo=UTC)),
        ("2026-10-25", datetime(2026, 10, 24, 22, tzinfo=UTC), datetime(2026, 10, 25, 22, 59, 59, tzinfo=UTC)),
    ],
    ids=["23 hours", "25 hours"],
)
def test_a_day_may_have_23_or_25_hours(person: Person, clock: Clock, day: str, first: datetime, last: datetime):
    move_to(person, "Europe/Berlin")
    for clock.at in (first - timedelta(seconds=1), first, last):
        focus(person.client, 10)

    shown = person.client.get("/api/stats/daily/2").json()["daily_stats"]

    assert (shown[0]["date"], shown[0]["sessions_completed"]) == (day, 2)
    clock.at = last + timedelta(seconds=1)
    focus(person.client, 10)
    assert streaks_of(person.client) == (3, 3)


def test_a_session_stays_on_the_day_it_was_completed_on(person: Person, clock: Clock):
    clock.at = datetime(2026, 6, 11, 1, tzinfo=UTC)
    focus(person.client, 10)

    move_to(person, "America/New_York")

    clock.at = datetime(2026, 6, 11, 16, tzinfo=UTC)
    assert in_days(person.client)[0] == (10, 1)


def test_a_move_to_the_west_brings_a_day_back(person: Person, clock: Clock):
    move_to(person, "Pacific/Kiritimati")
    clock.at = datetime(2026, 6, 10, 11, tzinfo=UTC)
    focus(person.client, 10)
    move_to(person, "Pacific/Pago_Pago")
    assert streaks_of(person.client) == (0, 1)

    clock.at = datetime(2026, 6, 11, 9, tzinfo=UTC)
    focus(person.client, 20)

    assert in_days(person.client)[0] == (20, 1)
    clock.at = datetime(2026, 6, 11, 12, tzinfo=UTC)
    assert in_days(person.client)[:2] == [(10, 1), (20, 1)]
    assert streaks_of(person.client) == (2, 2)


def test_the_summary_adds_up_all_accounts(client: httpx.Client, stranger: httpx.Client):
    before = client.get("/api/stats/summary").json()
    for somebody in (client, stranger):
        session_id = focus(somebody, 25)
        somebody.post("/api/garden", json={"session_id": session_id, "plant_type": "Fern"})
    focus(client, 5)

    after = client.get("/api/stats/summary").json()

    grown = {name: after[name] - before[name] for name in after}
    assert grown == {
        "total_users": 0,
        "total_sessions": 3,
        "total_focus_min": 55,
        "total_plants": 2,
        "active_today": 2,
    }


def test_an_account_is_active_until_its_own_midnight(person: Person, clock: Clock):
    clock.at = datetime(2031, 6, 11, 14, tzinfo=UTC)
    move_to(person, "Pacific/Kiritimati")
    focus(person.client)
    clock.at = datetime(2031, 6, 12, 9, 59, 59, tzinfo=UTC)
    assert person.client.get("/api/stats/summary").json()["active_today"] == 1

    clock.at = datetime(2031, 6, 12, 10, tzinfo=UTC)

    assert person.client.get("/api/stats/summary").json()["active_today"] == 0


def test_an_account_that_deletes_its_session_is_active_no_more(client: httpx.Client, clock: Clock):
    clock.at = datetime(2032, 6, 11, 14, tzinfo=UTC)
    session_id = focus(client)

    client.delete(f"/api/sessions/{session_id}")

    assert client.get("/api/stats/summary").json()["active_today"] == 0
