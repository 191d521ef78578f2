from collections.abc import Callable, Iterator
from datetime import timedelta

import httpx
import pytest
from sqlalchemy import func, select

import clock
from db.focus.stats import FocusStats
from db.membership import leave
from db.sql.engine import autocommit, transaction
from tests.conftest import Person
from tests.focusguard.conftest import error_of, focus_on

BOARDS = {
    "xp": ("xp_points", FocusStats.total_focus_min),
    "focus-time": ("total_focus_min", FocusStats.total_focus_min),
    "streak": ("best_streak", FocusStats.best_streak),
    "sessions": ("total_sessions", FocusStats.total_sessions),
}


@pytest.fixture
def ranked(new_person: Callable[..., Person]) -> Iterator[list[Person]]:
    """Four accounts that completed sessions on 6, 4, 4 and 2 days, each of a whole day."""
    people = [new_person() for _ in range(4)]
    for person, days in zip(people, (6, 4, 4, 2), strict=True):
        for day in reversed(range(days)):
            focus_on(person.id, clock.now() - timedelta(days=day), 1440)
    yield people
    with transaction() as session:
        for person in people:
            leave(session, person.id)


@pytest.mark.parametrize("board", BOARDS)
def test_entries_have_their_members_and_ranks(ranked: list[Person], board: str):
    metric, _ = BOARDS[board]

    response = ranked[0].client.get(f"/api/leaderboard/{board}", params={"limit": 100})

    assert response.status_code == 200
    entries = response.json()["leaderboard"]
    assert all(list(one) == ["rank", "user_id", "username", "lvl", metric] for one in entries)
    values = [one[metric] for one in entries]
    assert values == sorted(values, reverse=True)
    assert [one["rank"] for one in entries] == [1 + sum(other > value for other in values) for value in values]


@pytest.mark.parametrize("board", BOARDS)
def test_equals_share_a_rank_and_the_older_account_comes_first(ranked: list[Person], board: str):
    entries = ranked[0].client.get(f"/api/leaderboard/{board}", params={"limit": 100}).json()["leaderboard"]

    rank_of = {one["user_id"]: one["rank"] for one in entries}
    first, second, third, fourth = (rank_of[person.uuid] for person in ranked)
    assert first < second == third
    assert fourth >= third + 2
    order = [one["user_id"] for one in entries if one["user_id"] in {person.uuid for person in ranked}]
    assert order == [person.uuid for person in ranked]


@pytest.mark.parametrize("board", BOARDS)
def test_ones_own_rank_is_one_more_than_the_accounts_above(ranked: list[Person], board: str):
    _, figure = BOARDS[board]
    for person in ranked:
        response = person.client.get(f"/api/leaderboard/{board}", params={"limit": 1})

        with autocommit() as connection:
            own = select(figure).where(FocusStats.account_id == person.id).scalar_subquery()
            above = connection.scalars(select(func.count()).select_from(FocusStats).where(figure > own)).one()
        assert response.json()["current_user_rank"] == 1 + above


def test_an_account_without_sessions_is_ranked_below_all_that_have_some(client: httpx.Client):
    response = client.get("/api/leaderboard/xp")

    with autocommit() as connection:
        everybody = select(func.count()).select_from(FocusStats)
        above = connection.scalars(everybody.where(FocusStats.total_focus_min > 0)).one()
        total = connection.scalars(everybody).one()
    assert response.json()["current_user_rank"] == 1 + above
    assert response.json()["total_users"] == total


def test_ten_accounts_are_shown_unless_told_otherwise(new_person: Callable[..., Person], client: httpx.Client):
    for _ in range(12):
        new_person()

    assert len(client.get("/api/leaderboard/xp").json()["leaderboard"]) == 10
    assert len(client.get("/api/leaderboard/xp", params={"limit": 3}).json()["leaderboard"]) == 3


@pytest.mark.parametrize("limit", ["0", "101", "ten", ""])
def test_a_limit_out_of_range_is_refused(client: httpx.Client, limit: str):
    assert error_of(client.get("/api/leaderboard/xp", params={"limit": limit})) == (422, "BAD_INPUT")


def test_levels_follow_the_focus_time_on_every_board(ranked: list[Person]):
    for board in BOARDS:
        response = ranked[0].client.get(f"/api/leaderboard/{board}", params={"limit": 100})

        levels = {one["user_id"]: one["lvl"] for one in response.json()["leaderboard"]}
        assert [levels[person.uuid] for person in ranked] == [13, 10, 10, 7]
