from uuid import uuid4

import httpx
import pytest

from tests.conftest import Person
from tests.focusguard.conftest import at_once, error_of

GARDEN = "/api/garden"


def start(client: httpx.Client) -> str:
    return client.post("/api/sessions", json={"duration_min": 25}).json()["id"]


def plant(client: httpx.Client, **members: object) -> httpx.Response:
    return client.post(GARDEN, json={"session_id": start(client), "plant_type": "Fern", **members})


def test_a_new_plant_has_the_defaults_of_the_contract(person: Person):
    session_id = start(person.client)

    response = person.client.post(GARDEN, json={"session_id": session_id, "plant_type": "Sunflower"})

    assert response.status_code == 201
    body = response.json()
    assert body == {
        "id": body["id"],
        "user_id": person.uuid,
        "session_id": session_id,
        "plant_num": 1,
        "plant_type": "Sunflower",
        "growth_stage": 0,
        "total_plants": 1,
        "created_at": body["created_at"],
    }
    assert person.client.get(f"{GARDEN}/{body['id']}").json() == body
    assert person.client.get(f"{GARDEN}/session/{session_id}").json() == body


def test_a_plant_without_a_number_gets_the_next_one(client: httpx.Client):
    numbers = [plant(client, **given).json()["plant_num"] for given in ({}, {"plant_num": 7}, {}, {"plant_num": 2}, {})]

    assert numbers == [1, 7, 8, 2, 9]


def test_plants_are_listed_oldest_first_with_their_total(client: httpx.Client):
    ids = [plant(client).json()["id"] for _ in range(3)]

    response = client.get(GARDEN)

    assert [one["id"] for one in response.json()["gardens"]] == ids
    assert {one["total_plants"] for one in response.json()["gardens"]} == {response.json()["total"]} == {3}


def test_a_page_of_plants_tells_the_total_of_all(client: httpx.Client):
    ids = [plant(client).json()["id"] for _ in range(3)]

    response = client.get(GARDEN, params={"limit": 1, "offset": 1})

    assert [one["id"] for one in response.json()["gardens"]] == [ids[1]]
    assert response.json()["total"] == 3


def test_a_session_has_one_plant(client: httpx.Client):
    session_id = plant(client).json()["session_id"]

    response = plant(client, session_id=session_id)

    assert error_of(response) == (409, "PLANT_EXISTS")
    assert client.get(GARDEN).json()["total"] == 1


def test_of_fifty_plants_at_once_for_one_session_one_grows(client: httpx.Client):
    body = {"session_id": start(client), "plant_type": "Fern"}

    responses = at_once(50, lambda: client.post(GARDEN, json=body))

    assert sorted(response.status_code for response in responses) == [201] + 49 * [409]
    assert client.get(GARDEN).json()["total"] == 1


def test_plants_planted_at_once_get_numbers_of_their_own(client: httpx.Client):
    ids = iter([start(client) for _ in range(20)])

    responses = at_once(20, lambda: client.post(GARDEN, json={"session_id": next(ids), "plant_type": "Fern"}))

    assert sorted(response.json()["plant_num"] for response in responses) == list(range(1, 21))
    assert client.get(GARDEN).json()["total"] == 20


def test_a_plant_changes_as_told(client: httpx.Client):
    before = plant(client).json()

    response = client.patch(f"{GARDEN}/{before['id']}", json={"growth_stage": 3, "plant_num": 9})

    assert response.json() == before | {"growth_stage": 3}
    assert client.patch(f"{GARDEN}/{before['id']}", json={}).json() == before | {"growth_stage": 3}


def test_a_plant_that_is_deleted_makes_room_for_another(client: httpx.Client):
    gone = plant(client).json()

    response = client.delete(f"{GARDEN}/{gone['id']}")

    assert (response.status_code, response.content) == (204, b"")
    assert error_of(client.get(f"{GARDEN}/{gone['id']}")) == (404, "PLANT_NOT_FOUND")
    assert error_of(client.get(f"{GARDEN}/session/{gone['session_id']}")) == (404, "PLANT_NOT_FOUND")
    assert plant(client, session_id=gone["session_id"]).json()["total_plants"] == 1


@pytest.mark.parametrize(
    "wrong",
    [
        {"growth_stage": 6},
        {"growth_stage": -1},
        {"growth_stage": None},
        {"plant_type": ""},
        {"plant_type": "x" * 51},
        {"plant_type": "a\0b"},
        {"plant_num": 0},
        {"session_id": "abc"},
        {"session_id": None},
    ],
)
def test_a_plant_that_breaks_the_schema_is_refused(client: httpx.Client, wrong: dict[str, object]):
    response = plant(client, **wrong)

    assert error_of(response) == (422, "BAD_INPUT")
    assert client.get(GARDEN).json() == {"gardens": [], "total": 0}


def test_a_plant_needs_a_session_of_ones_own(client: httpx.Client, stranger: httpx.Client):
    assert error_of(plant(client, session_id=start(stranger))) == (403, "FORBIDDEN")
    assert error_of(plant(client, session_id=str(uuid4()))) == (404, "SESSION_NOT_FOUND")


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_somebody_elses_plant_is_forbidden(client: httpx.Client, stranger: httpx.Client, method: str):
    theirs = plant(stranger).json()
    body = {"growth_stage": 5} if method == "PATCH" else None

    response = client.request(method, f"{GARDEN}/{theirs['id']}", json=body)

    assert error_of(response) == (403, "FORBIDDEN")
    assert stranger.get(f"{GARDEN}/{theirs['id']}").json() == theirs
    assert error_of(client.get(f"{GARDEN}/session/{theirs['session_id']}")) == (403, "FORBIDDEN")


@pytest.mark.parametrize("garden_id", ["0b0e7c1a-3f52-4d68-9a17-6c2e5d4f8b90", "abc", "session"])
def test_a_plant_that_is_not_there_is_not_found(client: httpx.Client, garden_id: str):
    for method, body in (("GET", None), ("PATCH", {"growth_stage": 5}), ("DELETE", None)):
        assert client.request(method, f"{GARDEN}/{garden_id}", json=body).status_code == 404
    assert client.get(f"{GARDEN}/session/{garden_id}").status_code == 404
