"""Replays every JSON example of the contract's text and compares the answers' members, order and kinds with it."""

from typing import Any

import httpx
import pytest

from tests.conftest import HANGS_AFTER, Person

INSTANT = "2023-01-01T00:00:00Z"
TAG = {"id": "tag-uuid", "name": "work", "color": "#FF5733"}
TASK = {
    "id": "uuid-string",
    "title": "Sample Task",
    "description": "Task description",
    "status": "active",
    "priority": "high",
    "due_date": "2023-12-31T23:59:59Z",
    "created_at": INSTANT,
    "updated_at": INSTANT,
    "completed_at": None,
    "tags": [TAG],
}
RECURRENCE = {"id": "recurrence-uuid", "pattern_type": "weekly", "interval": 1, "end_date": None}
NEW_TASK = {
    "title": "New Task",
    "description": "Task description",
    "priority": "medium",
    "due_date": "2023-12-31T23:59:59Z",
    "tags": ["work", "important"],
    "recurrence_pattern": {"pattern_type": "weekly", "interval": 1, "end_date": "2024-12-31T23:59:59Z"},
}
PASSWORD = "securePassword123"
USER = {
    "id": "uuid-string",
    "username": "username",
    "email": "user@example.com",
    "is_active": True,
    "created_at": INSTANT,
    "updated_at": INSTANT,
    "preferences": {"theme": "light"},
}


@pytest.fixture(scope="session")
def registered(base_url: str) -> dict[str, Any]:
    """The account of the text's examples, registered with the text's own request."""
    request = {"username": "newuser", "email": "newuser@example.com", "password": PASSWORD}
    response = httpx.post(f"{base_url}/v1/auth/register", json=request, timeout=HANGS_AFTER)
    assert response.status_code == 201
    return response.json()


def test_registering(registered: dict[str, Any]):
    example = {"id": "uuid-string", "username": "newuser", "email": "newuser@example.com", "created_at": INSTANT}

    assert kinds(registered) == kinds(example)
    assert registered["username"] == "newuser"


@pytest.mark.parametrize("name", ["newuser", "newuser@example.com"])
def test_logging_in(registered: dict[str, Any], anonymous: httpx.Client, name: str):
    response = anonymous.post("/v1/auth/login", json={"username": name, "password": PASSWORD})

    assert response.status_code == 200
    assert kinds(response.json()) == kinds(
        {"access_token": "jwt_access_token", "refresh_token": "jwt_refresh_token", "token_type": "bearer"}
    )
    assert response.json()["token_type"] == "bearer"


def test_refreshing(person: Person, anonymous: httpx.Client):
    response = anonymous.post("/v1/auth/refresh", json={"refresh_token": person.refresh_token})

    assert response.status_code == 200
    assert kinds(response.json()) == kinds({"access_token": "new_jwt_access_token", "token_type": "bearer"})


def test_one_s_own_profile(client: httpx.Client):
    response = client.get("/v1/users/me")

    assert response.status_code == 200
    assert kinds(response.json()) == kinds(USER)
    assert response.json()["preferences"] == {"theme": "light"}


def test_changing_one_s_own_profile(client: httpx.Client):
    changes = {"username": "newusername", "email": "newemail@example.com", "preferences": {"theme": "dark"}}

    response = client.put("/v1/users/me", json=changes)

    assert response.status_code == 200
    assert kinds(response.json()) == kinds(USER)
    assert response.json().items() >= changes.items()


def test_creating_and_listing_a_task(client: httpx.Client):
    created = client.post("/v1/tasks", json=NEW_TASK)
    listed = client.get("/v1/tasks")

    recurrence = {**RECURRENCE, "end_date": "2024-12-31T23:59:59Z", "occurrences_count": None}
    example = {**TASK, "tags": [TAG, TAG], "recurrence_pattern": recurrence}
    assert created.status_code == 201
    assert kinds(created.json()) == kinds(example)
    assert [tag["name"] for tag in created.json()["tags"]] == ["work", "important"]
    assert listed.status_code == 200
    assert kinds(listed.json()) == kinds({"tasks": [example], "total": 1, "skip": 0, "limit": 100})
    assert (listed.json()["total"], listed.json()["skip"], listed.json()["limit"]) == (1, 0, 100)


def test_reading_a_task(client: httpx.Client):
    task = client.post("/v1/tasks", json={**NEW_TASK, "tags": ["work"], "recurrence_pattern": None}).json()

    response = client.get(f"/v1/tasks/{task['id']}")

    assert response.status_code == 200
    assert kinds(response.json()) == kinds({**TASK, "recurrence_pattern": None})


def test_updating_a_task(client: httpx.Client):
    task = client.post("/v1/tasks", json={"title": "Old", "tags": ["work"]}).json()
    changes = {
        "title": "Updated Task Title",
        "description": "Updated description",
        "priority": "high",
        "due_date": "2023-12-31T23:59:59Z",
        "status": "completed",
    }

    response = client.put(f"/v1/tasks/{task['id']}", json=changes)

    assert response.status_code == 200
    assert kinds(response.json()) == kinds({**TASK, "completed_at": INSTANT, "recurrence_pattern": None})
    assert response.json()["status"] == "completed"
    assert response.json()["due_date"] == "2023-12-31T23:59:59.000000Z"


def test_deleting_a_task(client: httpx.Client):
    task = client.post("/v1/tasks", json={"title": "Old"}).json()

    response = client.delete(f"/v1/tasks/{task['id']}")

    assert (response.status_code, response.content) == (204, b"")


def test_toggling_a_task(client: httpx.Client):
    task = client.post("/v1/tasks", json={"title": "Old"}).json()

    response = client.patch(f"/v1/tasks/{task['id']}/toggle-status")

    assert response.status_code == 200
    assert kinds(response.json()) == kinds({"id": "uuid-string", "status": "completed", "completed_at": INSTANT})


def test_tags(client: httpx.Client):
    example = {"id": "uuid-string", "name": "work", "color": "#FF5733", "created_at": INSTANT}

    created = client.post("/v1/tags", json={"name": "personal", "color": "#33FF57"})
    listed = client.get("/v1/tags")
    updated = client.put(f"/v1/tags/{created.json()['id']}", json={"name": "home", "color": "#3357FF"})
    deleted = client.delete(f"/v1/tags/{created.json()['id']}")

    assert [response.status_code for response in (created, listed, updated, deleted)] == [201, 200, 200, 204]
    assert kinds(created.json()) == kinds(example)
    assert kinds(listed.json()) == kinds({"tags": [example], "total": 1, "skip": 0, "limit": 100})
    assert kinds(updated.json()) == kinds({**example, "updated_at": INSTANT})
    assert (updated.json()["name"], updated.json()["color"]) == ("home", "#3357FF")


def test_errors(anonymous: httpx.Client):
    response = anonymous.get("/v1/users/me")

    assert kinds(response.json()) == kinds(
        {"detail": "Error message", "error_code": "ERROR_CODE", "timestamp": INSTANT}
    )


def kinds(value: Any) -> Any:
    """Replace each value by its kind; the order of members counts."""
    if isinstance(value, dict):
        return [(name, kinds(part)) for name, part in value.items()]
    return [kinds(part) for part in value] if isinstance(value, list) else type(value).__name__
