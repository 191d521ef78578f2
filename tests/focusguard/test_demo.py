from collections.abc import Callable

import httpx
import pytest

import clock
import demo
from db.sql.engine import transaction


@pytest.mark.parametrize("name", ["demo-one", "demo-two"])
def test_the_demo_account_has_life_in_it(anonymous: httpx.Client, new_client: Callable[..., httpx.Client], name: str):
    with transaction(limited=False) as session:
        demo.fill(session, name, "a password for the demo", at=clock.now())

    login = anonymous.post("/api/auth/login", json={"username": name, "password": "a password for the demo"})

    client = new_client(Authorization=f"Bearer {login.json()['access_token']}")
    assert client.get("/api/sessions").json()["total"] == client.get("/api/garden").json()["total"] + 1 > 20
    assert client.get("/api/stats/me").json()["current_streak"] >= 14
    assert sum(day["sessions_completed"] > 0 for day in client.get("/api/stats/daily/30").json()["daily_stats"]) > 14
    assert len(client.get("/api/v1/todo/todos").json()) == 8
    for path in ("achievements", "current_focus", "future_plans"):
        assert len(client.get(f"/api/v1/anchor/{path}").json()) == 1
    client.delete("/api/users/me")
