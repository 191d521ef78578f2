from typing import Any

import httpx
import pytest

from tests.conftest import Person, once

CURRENT_FOCUS = "/api/v1/anchor/current_focus"


def create(client: httpx.Client, **members: object) -> dict[str, Any]:
    return client.post(CURRENT_FOCUS, json={"title": "Learn stream processing", **members}).json()


def test_a_new_focus_item_has_the_shape_of_the_contract(person: Person):
    response = person.client.post(CURRENT_FOCUS, json={"title": "Learn stream processing"})

    assert response.status_code == 201
    item = response.json()
    assert item == {
        "id": item["id"],
        "user_id": person.id,
        "item_type": None,
        "title": "Learn stream processing",
        "description": None,
        "start_date": None,
        "status": None,
        "created_at": item["created_at"],
        "updated_at": item["created_at"],
    }


def test_focus_items_are_listed_newest_first_whenever_they_start(client: httpx.Client):
    ids = [create(client, start_date=day)["id"] for day in ("2026-02-16", None, "2026-01-01", "2027-01-01")]

    response = client.get(CURRENT_FOCUS)

    assert [item["id"] for item in response.json()] == ids[::-1]


@pytest.mark.parametrize("member", ["item_type", "status"])
@pytest.mark.parametrize("words", ["", "in my own words", "x" * 50])
def test_type_and_status_are_said_in_ones_own_words(client: httpx.Client, member: str, words: str):
    item = create(client, **{member: words})

    response = client.get(f"{CURRENT_FOCUS}/{item['id']}")

    assert item[member] == response.json()[member] == words


@once
@pytest.mark.parametrize("member", ["item_type", "status"])
def test_type_and_status_have_at_most_50_characters(client: httpx.Client, member: str):
    response = client.post(CURRENT_FOCUS, json={"title": "Learn stream processing", member: "x" * 51})

    assert response.status_code == 400
    assert response.json()["errors"] == [{"field": member, "message": "must have at most 50 characters"}]
