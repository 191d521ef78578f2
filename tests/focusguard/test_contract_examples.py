"""The JSON examples of the contract's text, sent as they stand there and answered in their shapes."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import jwt

import clock
from server.contracts import CONTRACTS
from tests.conftest import Person
from tests.focusguard.conftest import error_of, focus_on

USER = ["id", "username", "email", "lvl", "xp_points", "created_at", "updated_at"]
ENTRY = ["rank", "user_id", "username", "lvl", "xp_points"]
PLANT = ["id", "user_id", "session_id", "plant_num", "plant_type", "growth_stage", "total_plants", "created_at"]


def claims_of(token: str) -> dict[str, Any]:
    return jwt.decode(token, options={"verify_signature": False})


def test_users(client: httpx.Client):
    assert list(client.get("/api/users/me").json()) == USER

    name = f"alice_{uuid4().hex[:8]}"
    changed = client.put("/api/users/me", json={"username": name, "email": f"{name}@focusguard.com"})

    assert list(changed.json()) == USER
    assert changed.json()["email"] == f"{name}@focusguard.com"


def test_sessions(client: httpx.Client):
    created = client.post("/api/sessions", json={"duration_min": 25})

    assert created.status_code == 201
    assert created.json().keys() >= {"id", "user_id", "completed", "created_at"}
    completed = client.patch(f"/api/sessions/{created.json()['id']}", json={"completed": True})
    assert completed.json()["completed"] is True


def test_garden(client: httpx.Client):
    session_id = client.post("/api/sessions", json={"duration_min": 25}).json()["id"]
    body = {"session_id": session_id, "plant_type": "Rose", "growth_stage": 0, "plant_num": 1}

    created = client.post("/api/garden", json=body)

    assert created.json() | body == created.json()
    garden = client.get("/api/garden").json()
    assert list(garden) == ["gardens", "total"]
    assert [list(one) for one in garden["gardens"]] == [PLANT]


def test_statistics(person: Person):
    for days in (1, 0):
        focus_on(person.id, clock.now() - timedelta(days=days), 40)

    stats = person.client.get("/api/stats/me").json()
    daily = person.client.get("/api/stats/daily/7").json()

    members = ["user_id", "total_focus_min", "total_sessions", "current_streak", "best_streak", "updated_at"]
    assert list(stats) == members
    assert list(daily) == ["daily_stats"]
    assert [list(day) for day in daily["daily_stats"]] == 7 * [["date", "focus_min", "sessions_completed"]]
    assert [day["focus_min"] for day in daily["daily_stats"]] == [40, 40, 0, 0, 0, 0, 0]


def test_leaderboard(person: Person):
    board = person.client.get("/api/leaderboard/xp?limit=10").json()

    assert list(board) == ["leaderboard", "current_user_rank", "total_users"]
    assert all(list(entry) == ENTRY for entry in board["leaderboard"])


def test_errors(client: httpx.Client):
    response = client.get(f"/api/users/{uuid4()}")

    assert error_of(response) == (404, "USER_NOT_FOUND")
    assert response.headers["content-type"] == "application/json"


def test_tokens(anonymous: httpx.Client, person: Person):
    tokens = anonymous.post("/api/auth/refresh", json={"refresh_token": person.refresh_token}).json()

    access, refresh = claims_of(tokens["access_token"]), claims_of(tokens["refresh_token"])
    assert access.items() >= {"sub": person.uuid, "username": person.username, "type": "access"}.items()
    assert access["exp"] - access["iat"] == 15 * 60
    assert refresh.items() >= {"sub": person.uuid, "type": "refresh"}.items()
    assert refresh["exp"] - refresh["iat"] == 7 * 24 * 60 * 60
    assert refresh["jti"] != access["jti"]


def test_the_whole_flow_of_a_browser(anonymous: httpx.Client, person: Person):
    login = anonymous.post("/api/auth/login", json={"username": person.username, "password": "Harbor-Lantern-42"})
    cookie = login.headers["set-cookie"].partition(";")[0]
    origin = {"Cookie": cookie, "Origin": "http://localhost:5173"}

    refreshed = anonymous.post("/api/auth/refresh", headers=origin)

    assert refreshed.headers["Access-Control-Allow-Origin"] == "http://localhost:5173"
    assert refreshed.headers["Access-Control-Allow-Credentials"] == "true"
    bearer = {"Authorization": f"Bearer {refreshed.json()['access_token']}"}
    assert anonymous.get("/api/sessions", headers=bearer).json() == {"sessions": [], "total": 0}
    assert anonymous.post("/api/auth/logout", headers=bearer).status_code == 200
    assert anonymous.get("/api/sessions", headers=bearer).status_code == 401


def test_openapi_json_is_this_contract(anonymous: httpx.Client):
    document = anonymous.get("/openapi.json").json()

    focusguard = next(one for one in CONTRACTS if one.name == "focusguard")
    assert document == focusguard.document
    assert sum(len(path) for path in document["paths"].values()) == 30
    listed = anonymous.get("/docs/contracts.json").json()
    assert {"name": document["info"]["title"], "url": "/openapi/focusguard.json"} in listed
    assert anonymous.get("/docs").status_code == anonymous.get("/redoc").status_code == 200
