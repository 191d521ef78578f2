from typing import Any

import httpx
import pytest

from tests.conftest import Person, once

FUTURE_PLANS = "/api/v1/anchor/future_plans"
STATUSES = ("active", "achieved", "deferred", "abandoned")


def create(client: httpx.Client, **members: object) -> dict[str, Any]:
    return client.post(FUTURE_PLANS, json={"description": "Lead a team", **members}).json()


def test_a_new_plan_has_the_defaults_of_the_contract(person: Person):
    response = person.client.post(FUTURE_PLANS, json={"description": "Lead a team"})

    assert response.status_code == 201
    plan = response.json()
    assert plan == {
        "id": plan["id"],
        "user_id": person.id,
        "goal_type": None,
        "description": "Lead a team",
        "target_date": None,
        "status": "active",
        "created_at": plan["created_at"],
        "updated_at": plan["created_at"],
    }


def test_plans_are_listed_soonest_first_and_those_without_a_day_last(client: httpx.Client):
    days = ["2027-06-30", None, "2026-12-31", "2027-06-30", None, "9999-12-31"]
    first, without, soonest, second, without_too, latest = [create(client, target_date=day)["id"] for day in days]

    response = client.get(FUTURE_PLANS)

    assert [plan["id"] for plan in response.json()] == [soonest, second, first, latest, without_too, without]


@pytest.mark.parametrize("before", STATUSES)
@pytest.mark.parametrize("after", STATUSES)
def test_a_plan_moves_from_any_status_to_any_other(client: httpx.Client, before: str, after: str):
    plan = create(client, status=before)

    response = client.put(f"{FUTURE_PLANS}/{plan['id']}", json={"status": after})

    assert (plan["status"], response.json()["status"]) == (before, after)
    assert client.get(f"{FUTURE_PLANS}/{plan['id']}").json()["status"] == after


@once
def test_a_goal_type_has_at_most_50_characters(client: httpx.Client):
    response = client.post(FUTURE_PLANS, json={"description": "Lead a team", "goal_type": "x" * 51})

    assert response.status_code == 400
    assert response.json()["errors"] == [{"field": "goal_type", "message": "must have at most 50 characters"}]
