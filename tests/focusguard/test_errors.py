"""Rules that cut across all operations of the contract."""

from typing import Any
from uuid import uuid4

import httpx
import pytest

from server.contracts import CONTRACTS
from tests.conftest import Person
from tests.focusguard.conftest import error_of

METHODS = ("get", "post", "put", "patch", "delete")
DOCUMENT = next(one for one in CONTRACTS if one.name == "focusguard").document
OPERATIONS: list[tuple[str, str, dict[str, Any]]] = [
    (method.upper(), path, definition)
    for path, methods in DOCUMENT["paths"].items()
    for method, definition in methods.items()
    if method in METHODS
]
SECURED = [one for one in OPERATIONS if "security" not in one[2]]
WITH_BODY = [one for one in OPERATIONS if "requestBody" in one[2]]
UNKNOWN = {"{days}": "7", "{user_id}": str(uuid4()), "{session_id}": str(uuid4()), "{garden_id}": str(uuid4())}


def url_of(path: str) -> str:
    for name, value in UNKNOWN.items():
        path = path.replace(name, value)
    return f"/api{path}"


def named(operation: Any) -> str:
    return operation[2]["operationId"]


@pytest.mark.parametrize("operation", SECURED, ids=named)
@pytest.mark.parametrize(
    ("authorization", "code"),
    [(None, "TOKEN_MISSING"), ("Bearer nonsense", "INVALID_TOKEN"), ("Basic YTpi", "TOKEN_MISSING")],
)
def test_all_but_the_doors_need_an_access_token(
    anonymous: httpx.Client, operation: tuple[str, str, Any], authorization: str | None, code: str
):
    method, path, _ = operation
    headers = {"Authorization": authorization} if authorization else {}

    response = anonymous.request(method, url_of(path), headers=headers)

    assert error_of(response) == (401, code)
    assert response.headers["WWW-Authenticate"].startswith('Bearer realm="quintet"')


@pytest.mark.parametrize("operation", SECURED, ids=named)
def test_a_refresh_token_opens_nothing_but_the_refresh(
    anonymous: httpx.Client, person: Person, operation: tuple[str, str, Any]
):
    method, path, _ = operation

    response = anonymous.request(method, url_of(path), headers={"Authorization": f"Bearer {person.refresh_token}"})

    assert error_of(response) == (401, "WRONG_TOKEN_KIND")


@pytest.mark.parametrize("operation", WITH_BODY, ids=named)
@pytest.mark.parametrize(
    ("content", "content_type", "expected"),
    [
        (b"{", "application/json", (400, "MALFORMED_JSON")),
        (b'{"a": 1, "a": 2}', "application/json", (400, "MALFORMED_JSON")),
        (b'{"a": "\xff"}', "application/json", (400, "MALFORMED_JSON")),
        (b'{"a": "\\ud800"}', "application/json", (422, "MALFORMED_JSON")),
        (b"[" * 100_000, "application/json", (400, "MALFORMED_JSON")),
        (b"[]", "application/json", (422, "BAD_INPUT")),
        (b"a=1", "application/x-www-form-urlencoded", (415, "UNSUPPORTED_MEDIA_TYPE")),
        (b'"' + b"x" * 1_048_576 + b'"', "application/json", (413, "PAYLOAD_TOO_LARGE")),
    ],
    ids=["cut off", "same name twice", "no utf-8", "lone surrogate", "too deep", "no object", "a form", "too long"],
)
def test_a_body_that_is_none_is_refused(
    client: httpx.Client,
    operation: tuple[str, str, Any],
    content: bytes,
    content_type: str,
    expected: tuple[int, str],
):
    method, path, _ = operation

    response = client.request(method, url_of(path), content=content, headers={"Content-Type": content_type})

    assert error_of(response) == expected


@pytest.mark.parametrize("path", DOCUMENT["paths"])
def test_a_method_that_a_path_does_not_take_is_refused_with_those_that_it_takes(client: httpx.Client, path: str):
    taken = {method.upper() for method in DOCUMENT["paths"][path] if method in METHODS}
    taken |= {"HEAD"} if "GET" in taken else set()

    response = client.request("OPTIONS", url_of(path))

    assert error_of(response) == (405, "METHOD_NOT_ALLOWED")
    assert set(response.headers["Allow"].split(", ")) == taken


@pytest.mark.parametrize("path", ["/api/nothing", "/api/sessions/", "/api/auth", "/api/stats"])
def test_a_path_that_is_none_is_not_found_in_the_shape_of_the_contract(client: httpx.Client, path: str):
    assert error_of(client.get(path)) == (404, "NOT_FOUND")


@pytest.mark.parametrize("path", ["/api/users/me", "/api/sessions", "/api/leaderboard/xp", "/api/sessions/active"])
def test_head_is_answered_like_get_without_the_body(client: httpx.Client, path: str):
    response = client.head(path)

    assert response.status_code == client.get(path).status_code
    assert response.content == b""


def test_no_message_repeats_what_was_sent(client: httpx.Client):
    secret = "word-that-nobody-may-see"

    answers = [
        client.post("/api/auth/login", json={"username": secret, "password": [secret]}),
        client.patch("/api/users/me/password", json={"current_password": secret, "new_password": secret[:6]}),
        client.get("/api/leaderboard/xp", params={"limit": secret}),
        client.get(f"/api/sessions/{secret}"),
        client.post("/api/auth/refresh", json={"refresh_token": secret}),
    ]

    assert all(answer.status_code >= 400 for answer in answers)
    assert not any(secret in answer.text or secret[:6] in answer.text for answer in answers)
