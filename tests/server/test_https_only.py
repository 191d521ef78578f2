"""HTTPS alone: what is refused, what is led to HTTPS, and who is let in all the same."""

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from server.app import Quintet
from server.asgi import Notes
from server.edge.https_only import HttpsOnly
from tests.conftest import HANGS_AFTER, ORIGIN, once
from tests.server.conftest import TODOS, served

pytestmark = once

STS = "strict-transport-security"
A_YEAR = "max-age=31536000"
BY_HTTP = {"X-Forwarded-Proto": "http", "X-Forwarded-For": "203.0.113.7"}
BY_HTTPS = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
NOBODYS = "/api/7c1e9a52-0f0e-4c3a-9a63-3d8f3b1f2a10/tasks"
CODES = {
    TODOS: lambda body: body["code"],
    "/api/v1/nothing": lambda body: body["code"],
    "/v1/tasks": lambda body: body["error_code"],
    "/api/sessions": lambda body: body["detail"]["error_code"],
    NOBODYS: lambda body: body["error"]["code"],
}


@pytest.fixture(scope="module")
def proxied(base_url: str) -> Iterator[httpx.Client]:
    """A proxy that is trusted, before a server for HTTPS alone."""
    app = Quintet(allowed_origins=(ORIGIN,), https_only=True, trusts_proxies=True)
    with served(app, trusted_proxies="127.0.0.1") as url, httpx.Client(base_url=url, timeout=HANGS_AFTER) as client:
        yield client


@pytest.fixture(scope="module")
def alone(base_url: str) -> Iterator[httpx.Client]:
    """A client of a server for HTTPS alone that trusts no proxy."""
    with served(Quintet(https_only=True)) as url, httpx.Client(base_url=url, timeout=HANGS_AFTER) as client:
        yield client


@pytest.mark.parametrize("path", CODES)
def test_what_came_by_http_is_refused_in_the_shape_of_its_path(proxied: httpx.Client, path: str):
    response = proxied.get(path, headers=BY_HTTP)

    assert response.status_code == 403
    assert CODES[path](response.json()).lower() == "https_required"
    assert response.headers["cache-control"] == "no-store"
    assert "x-request-id" in response.headers
    assert STS not in response.headers


@pytest.mark.parametrize("method", ["HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_no_method_is_let_in_by_http(proxied: httpx.Client, method: str):
    assert proxied.request(method, TODOS, headers=BY_HTTP).status_code == 403


@pytest.mark.parametrize("path", [TODOS, "/api/sessions", "/docs", "/nothing", "/healthz"])
def test_answers_over_https_ask_for_it_for_a_year(proxied: httpx.Client, path: str):
    response = proxied.get(path, headers=BY_HTTPS)

    assert response.status_code in (200, 401, 404)
    assert response.headers[STS] == A_YEAR


@pytest.mark.parametrize(
    "path", ["/", "/docs", "/redoc", "/openapi.json", "/openapi/todo.yaml", "/docs/page/docs.js?v=1&x=%2F", "//docs"]
)
def test_a_page_is_led_to_https(proxied: httpx.Client, path: str):
    for method in ("GET", "HEAD"):
        response = proxied.request(
            method, f"{proxied.base_url}{path}", headers={**BY_HTTP, "Host": "quintet.example:80"}
        )

        assert response.status_code == 308
        assert response.headers["location"] == f"https://quintet.example{path}"
        assert response.headers["cache-control"] == "no-store"
        assert response.content == b""
        assert STS not in response.headers


@pytest.mark.parametrize("host", ["quintet.example/@evil.example", "a b", "maya@evil.example", ""])
def test_a_page_of_a_host_that_is_none_is_refused(proxied: httpx.Client, host: str):
    response = proxied.get("/docs", headers={**BY_HTTP, "Host": host})

    assert response.status_code in (400, 403)
    assert "evil" not in response.text
    assert "location" not in response.headers


def test_a_preflight_by_http_is_refused_so_that_no_token_follows_it(proxied: httpx.Client):
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "GET"}

    refused = proxied.options(TODOS, headers={**asked, **BY_HTTP})
    allowed = proxied.options(TODOS, headers={**asked, **BY_HTTPS})

    assert (refused.status_code, allowed.status_code) == (403, 200)
    assert "access-control-allow-origin" not in refused.headers
    assert allowed.headers[STS] == A_YEAR


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("headers", [{}, BY_HTTP])
def test_signs_of_life_are_given_by_http_too(proxied: httpx.Client, path: str, headers: dict[str, str]):
    response = proxied.get(path, headers=headers)

    assert response.status_code == 200
    assert STS not in response.headers


def test_metrics_are_not_led_to_https_either(proxied: httpx.Client):
    assert proxied.get("/metrics", headers=BY_HTTP).status_code == 404


@pytest.mark.parametrize("path", [TODOS, "/docs"])
def test_a_direct_connection_from_this_machine_is_let_in(proxied: httpx.Client, alone: httpx.Client, path: str):
    responses = [client.get(path) for client in (proxied, alone)]

    assert {response.status_code for response in responses} <= {200, 401}
    assert not any(STS in response.headers for response in responses)


@pytest.mark.parametrize(
    "headers",
    [
        BY_HTTPS,
        BY_HTTP,
        {"X-Forwarded-Proto": "https"},
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=203.0.113.7;proto=https"},
    ],
)
def test_a_proxy_that_is_not_trusted_is_refused_and_told_what_to_set_up(alone: httpx.Client, headers: dict[str, str]):
    response = alone.get(TODOS, headers=headers)

    assert (response.status_code, response.json()["code"]) == (403, "https_required")
    assert "FORWARDED_ALLOW_IPS" in response.json()["detail"]
    assert "203.0.113.7" not in response.text


def test_another_proxy_than_the_one_that_is_trusted_is_told_so_too(proxied: httpx.Client):
    transport = httpx.HTTPTransport(local_address="127.0.0.2")
    with httpx.Client(base_url=proxied.base_url, transport=transport, timeout=HANGS_AFTER) as another:
        response = another.get(TODOS, headers=BY_HTTPS)

    assert response.status_code == 403
    assert "FORWARDED_ALLOW_IPS" in response.json()["detail"]


def test_a_client_that_could_use_https_is_told_no_more_than_that(proxied: httpx.Client):
    response = proxied.get(TODOS, headers=BY_HTTP)

    assert response.json()["detail"] == "This server takes requests over HTTPS alone."


@pytest.mark.parametrize("said", ["https, http", "HTTPS", "https,https", "wss", "", "https://"])
def test_a_scheme_that_is_not_plainly_https_is_refused(proxied: httpx.Client, said: str):
    response = proxied.get(TODOS, headers={"X-Forwarded-Proto": said})

    assert response.status_code == 403


@pytest.mark.parametrize(
    ("client", "is_let_in"),
    [
        (("127.0.0.1", 1), True),
        (("127.8.9.10", 1), True),
        (("::1", 1), True),
        (("::ffff:127.0.0.1", 1), True),
        (None, True),
        (("10.0.0.7", 1), False),
        (("203.0.113.7", 1), False),
        (("2001:db8::1", 1), False),
        (("::ffff:203.0.113.7", 1), False),
    ],
)
def test_only_this_machine_is_let_in_without_a_proxy(client: tuple[str, int] | None, is_let_in: bool):
    sent: list[Any] = []

    async def inner(*_: object) -> None:
        sent.append({"status": 200})

    async def send(message: Any) -> None:
        sent.append(message)

    scope: dict[str, Any] = {"type": "http", "scheme": "http", "method": "GET", "raw_path": TODOS.encode()}
    scope |= {"client": client, "headers": [(b"host", b"quintet.example")], "notes": Notes("x")}

    asyncio.run(HttpsOnly(inner, trusts_proxies=False)(scope, None, send))  # type: ignore[arg-type]

    assert sent[0]["status"] == (200 if is_let_in else 403)


def test_where_it_is_not_asked_for_nothing_changes(visitor: httpx.Client):
    response = visitor.get(TODOS, headers=BY_HTTP)

    assert response.status_code == 200
    assert STS not in response.headers
