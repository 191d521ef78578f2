"""How often the completion of a session asks PostgreSQL: each time is a round trip, and most of the request's time."""

from typing import Any

import httpx
import pytest
from asyncpg import Connection
from asyncpg.prepared_stmt import PreparedStatement

MOST_STATEMENTS = 9
"""With the look at the token, BEGIN and COMMIT."""

pytestmark = pytest.mark.on("postgresql")


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every statement that the server sends, noted where its driver sends it."""
    sent: list[str] = []

    def note(sender: type[Any], method: str) -> None:
        send = getattr(sender, method)

        def noting(self: Any, *arguments: Any, **more: Any) -> Any:
            sent.append(arguments[0] if sender is Connection else self.get_query())
            return send(self, *arguments, **more)

        monkeypatch.setattr(sender, method, noting)

    note(PreparedStatement, "fetch")
    for method in ("execute", "executemany", "fetch"):
        note(Connection, method)
    return sent


def completed(client: httpx.Client, asked: list[str], *, minutes: int) -> list[str]:
    """Complete a new session, and return what that sends."""
    session_id = client.post("/api/sessions", json={"duration_min": minutes}).json()["id"]
    asked.clear()
    assert client.patch(f"/api/sessions/{session_id}", json={"completed": True}).json()["focus_min"] == minutes
    return list(asked)


def test_completing_a_session_takes_few_statements(client: httpx.Client, asked: list[str]):
    first, second = completed(client, asked, minutes=25), completed(client, asked, minutes=1_000)

    for sent in (first, second):
        assert [one.split()[0].strip(";") for one in (sent[1], sent[-1])] == ["BEGIN", "COMMIT"]
        assert len(sent) <= MOST_STATEMENTS, sent


def test_changing_a_plan_writes_nothing_else(client: httpx.Client, asked: list[str]):
    session_id = client.post("/api/sessions", json={"duration_min": 25}).json()["id"]
    asked.clear()

    client.patch(f"/api/sessions/{session_id}", json={"duration_min": 50})

    assert [one.split()[1] for one in asked if one.startswith(("UPDATE", "INSERT"))] == ["focus_sessions"]
