from typing import Any

import httpx
import pytest

from tests.conftest import Person

ACHIEVEMENTS = "/api/v1/anchor/achievements"


def create(client: httpx.Client, **members: object) -> dict[str, Any]:
    return client.post(ACHIEVEMENTS, json={"title": "Moved billing", **members}).json()


def test_a_new_achievement_has_the_shape_of_the_contract(person: Person):
    response = person.client.post(ACHIEVEMENTS, json={"title": "Moved billing"})

    assert response.status_code == 201
    achievement = response.json()
    assert achievement == {
        "id": achievement["id"],
        "user_id": person.id,
        "title": "Moved billing",
        "description": None,
        "quantifiable_results": None,
        "core_skills_json": [],
        "date_achieved": None,
        "created_at": achievement["created_at"],
        "updated_at": achievement["created_at"],
    }


def test_achievements_are_listed_latest_first_and_those_without_a_day_last(client: httpx.Client):
    days = ["2025-11-14", None, "2026-01-02", "2025-11-14", None, "0001-01-01"]
    first, without, latest, second, without_too, earliest = [create(client, date_achieved=day)["id"] for day in days]

    response = client.get(ACHIEVEMENTS)

    ids = [achievement["id"] for achievement in response.json()]
    assert ids == [latest, second, first, earliest, without_too, without]


def test_an_achievement_that_gets_a_day_moves_in_the_list(client: httpx.Client):
    dated, undated = create(client, date_achieved="2025-11-14"), create(client)
    client.put(f"{ACHIEVEMENTS}/{undated['id']}", json={"date_achieved": "2026-01-02"})

    response = client.get(ACHIEVEMENTS)

    assert [achievement["id"] for achievement in response.json()] == [undated["id"], dated["id"]]


@pytest.mark.parametrize("skills", [[], ["SQL"], ["SQL", "Care", "SQL"], [' "', "ß", "🌱"], ["x"] * 100])
def test_skills_are_kept_in_the_order_given(client: httpx.Client, skills: list[str]):
    achievement = create(client, core_skills_json=skills)

    response = client.get(f"{ACHIEVEMENTS}/{achievement['id']}")

    assert achievement["core_skills_json"] == response.json()["core_skills_json"] == skills


def test_skills_that_are_null_are_an_empty_list(client: httpx.Client):
    achievement = create(client, core_skills_json=None)

    response = client.get(f"{ACHIEVEMENTS}/{achievement['id']}")

    assert achievement["core_skills_json"] == response.json()["core_skills_json"] == []


@pytest.mark.parametrize(("sent", "kept"), [(["Care"], ["Care"]), ([], []), (None, [])])
def test_a_list_of_skills_replaces_the_one_there_was(client: httpx.Client, sent: list[str] | None, kept: list[str]):
    achievement = create(client, core_skills_json=["SQL", "Project management"])

    response = client.put(f"{ACHIEVEMENTS}/{achievement['id']}", json={"core_skills_json": sent})

    assert response.json()["core_skills_json"] == kept
    assert client.get(f"{ACHIEVEMENTS}/{achievement['id']}").json()["core_skills_json"] == kept
