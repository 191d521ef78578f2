"""The refresh token as a cookie: pages of which origins may use it, which browsers name in `Origin`."""

from collections.abc import Iterator

import httpx
import pytest

from server.app import Quintet
from server.asgi import own_origin
from tests.conftest import ORIGIN, Person, once
from tests.focusguard.conftest import error_of
from tests.server.conftest import served

pytestmark = once

BY_PROXY = {"X-Forwarded-Proto": "https", "X-Forwarded-Host": "quintet.example", "X-Forwarded-For": "203.0.113.7"}


def refresh(client: httpx.Client, person: Person, origin: str, **headers: str) -> httpx.Response:
    """Refresh by the cookie, as a page of an origin does it."""
    sent = {"Cookie": f"refresh_token={person.refresh_token}", "Origin": origin}
    return client.post("/api/auth/refresh", headers=sent | headers)


@pytest.fixture
def proxied(base_url: str) -> Iterator[httpx.Client]:
    """A proxy that the server trusts."""
    with served(Quintet(), trusted_proxies="127.0.0.1") as url, httpx.Client(base_url=url) as client:
        yield client


@pytest.fixture
def open_to_all(base_url: str) -> Iterator[httpx.Client]:
    """A client of a server of which pages of all origins may read answers."""
    with served(Quintet(allowed_origins=("*", ORIGIN))) as url, httpx.Client(base_url=url) as client:
        yield client


def test_a_cookie_from_the_servers_own_page_counts(anonymous: httpx.Client, person: Person):
    response = refresh(anonymous, person, str(anonymous.base_url))

    assert response.status_code == 200


@pytest.mark.parametrize("origin", ["https://127.0.0.1:{port}", "http://127.0.0.1", "http://localhost:{port}"])
def test_another_scheme_port_or_host_is_another_origin(anonymous: httpx.Client, person: Person, origin: str):
    response = refresh(anonymous, person, origin.format(port=anonymous.base_url.port))

    assert error_of(response) == (403, "ORIGIN_NOT_ALLOWED")


@pytest.mark.parametrize("host", ["quintet.example", "Quintet.Example:443", "quintet.example, inside:8000"])
def test_behind_a_trusted_proxy_the_own_page_is_the_one_that_the_proxy_names(
    proxied: httpx.Client, person: Person, host: str
):
    headers = BY_PROXY | {"X-Forwarded-Host": host}

    response = refresh(proxied, person, "https://quintet.example", **headers)

    assert response.status_code == 200


def test_a_trusted_proxy_may_pass_on_the_host_itself(proxied: httpx.Client, person: Person):
    response = refresh(
        proxied, person, "https://q.example:8443", Host="q.example:8443", **{"X-Forwarded-Proto": "https"}
    )

    assert response.status_code == 200


def test_a_page_of_elsewhere_is_foreign_behind_a_proxy_too(proxied: httpx.Client, person: Person):
    response = refresh(proxied, person, "https://evil.example", **BY_PROXY)

    assert error_of(response) == (403, "ORIGIN_NOT_ALLOWED")


def test_what_an_unknown_proxy_says_does_not_count(anonymous: httpx.Client, person: Person):
    response = refresh(anonymous, person, "https://quintet.example", **BY_PROXY)

    assert error_of(response) == (403, "ORIGIN_NOT_ALLOWED")


def test_where_all_origins_may_read_a_cookie_still_needs_one_that_is_named(open_to_all: httpx.Client, person: Person):
    refused = [refresh(open_to_all, person, origin) for origin in ("https://any.example", "*", "null")]
    taken = refresh(open_to_all, person, ORIGIN)

    assert [error_of(one) for one in refused] == 3 * [(403, "ORIGIN_NOT_ALLOWED")]
    assert {"access-control-allow-credentials"} & taken.headers.keys() == set()
    assert taken.status_code == 200


@pytest.mark.parametrize(
    ("scheme", "host", "origin"),
    [
        ("http", b"quintet.example", "http://quintet.example"),
        ("http", b"QUINTET.example:80", "http://quintet.example"),
        ("https", b"quintet.example:443", "https://quintet.example"),
        ("https", b"quintet.example:80", "https://quintet.example:80"),
        ("http", b"[2001:db8::1]:8000", "http://[2001:db8::1]:8000"),
        ("http", b"[2001:db8::80]", "http://[2001:db8::80]"),
        ("wss", b"quintet.example", "wss://quintet.example"),
    ],
)
def test_an_origin_names_no_port_that_is_the_schemes_own(scheme: str, host: bytes, origin: str):
    assert own_origin({"scheme": scheme, "headers": [(b"host", host)]}) == origin
