"""An account with to-dos, created over HTTP, so that it works with any checkout of this server."""

from typing import Any, NamedTuple

import httpx

TODOS = 1_000
CREDENTIALS = {"email": "bench@quintet.example", "password": "Harbor-Lantern-42"}
BODY = b'{"title":"Water the plants","description":"All of them","due_date":"2026-12-24","priority":"high"}'


class Account(NamedTuple):
    """What the requests need to know of the account."""

    id: int
    token: str
    todo_id: int


def fill(port: int) -> Account:
    """Register an account at a server and create its to-dos."""
    with httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1") as client:
        account_id = _post(client, "/auth/register", {"username": "bench", **CREDENTIALS})["user"]["id"]
        token = _post(client, "/auth/login", CREDENTIALS)["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        todos = [_post(client, "/todo/todos", {"title": f"Task {number}"}) for number in range(TODOS)]
    return Account(account_id, token, todos[0]["id"])


def requests_of(account: Account) -> dict[str, bytes]:
    """Return the three requests as bytes of HTTP, by what they do."""
    common = f" HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {account.token}\r\n".encode()
    typed = b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
    return {
        "get": b"GET /api/v1/todo/todos/%d" % account.todo_id + common + b"\r\n",
        "list of 20": b"GET /api/v1/todo/todos?limit=20" + common + b"\r\n",
        "create": b"POST /api/v1/todo/todos" + common + typed,
    }


def _post(client: httpx.Client, path: str, body: dict[str, Any]) -> Any:
    return client.post(path, json=body).raise_for_status().json()
