"""Two servers behind Caddy and behind nginx, with the files of deploy/: run by `make test-deploy`."""

from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.process.conftest import ACCOUNT, CREDENTIALS, LOGIN, TODOS, Serve, Serving
from tests.process.proxies import PROXIES, Proxy, before

pytestmark = [pytest.mark.deploy, pytest.mark.parametrize("name", PROXIES)]

GARDEN = "/api/garden"
QUOTA = 5
WRITERS = 8


@pytest.fixture
def servers(serve: Serve) -> list[Serving]:
    """Two servers with one database between them, which take nothing but HTTPS."""
    settings = {"FORWARDED_ALLOW_IPS": "127.0.0.1,::1", "HTTPS_ONLY": "true", "METRICS": "true"}
    # Nobody reads the lines about requests, and a server whose pipe is full waits.
    settings["LOG_LEVEL"] = "warning"
    return [serve(RATE_LIMIT_PER_MINUTE=str(QUOTA), **settings) for _ in range(2)]


@pytest.fixture
def proxy(name: str, servers: list[Serving], tmp_path: Path) -> Iterator[Proxy]:
    with before(servers, name, tmp_path) as proxy:
        yield proxy


@pytest.fixture
def maya(proxy: Proxy) -> Iterator[httpx.Client]:
    with proxy.client() as client:
        client.post("/api/v1/auth/register", json=ACCOUNT)
        token = client.post(LOGIN, json=CREDENTIALS).json()["access_token"]
        client.headers["Authorization"] = f"Bearer {token}"
        yield client


def test_what_is_created_is_listed(maya: httpx.Client):
    maya.post(TODOS, json={"title": "Water the plants"})

    assert [todo["title"] for todo in maya.get(TODOS).json()] == ["Water the plants"]


def test_no_header_comes_twice(maya: httpx.Client):
    answer = maya.get(TODOS)

    assert {name for name, count in Counter(name for name, _ in answer.headers.raw).items() if count > 1} == set()
    assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_an_operation_by_plain_http_is_refused_in_its_contracts_words(proxy: Proxy):
    answer = httpx.get(proxy.http + TODOS)

    assert answer.status_code == 403
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_page_by_plain_http_is_led_to_https(proxy: Proxy):
    answer = httpx.get(proxy.http + "/docs?api=todo")

    assert (answer.status_code, answer.headers["location"]) == (308, "https://localhost/docs?api=todo")


def test_a_client_is_known_by_its_own_address_whatever_it_claims(servers: list[Serving], name: str, tmp_path: Path):
    # Without Redis each server counts for itself.
    with (
        before(servers[:1], name, tmp_path) as proxy,
        proxy.client_at("127.0.0.2") as spender,
        proxy.client_at("127.0.0.3") as other,
    ):
        spent = [spender.get(GARDEN).status_code for _ in range(QUOTA)]
        claimed = spender.get(GARDEN, headers={"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"})
        others = other.get(GARDEN)

    assert set(spent) == {401}
    assert claimed.status_code == 429
    assert others.status_code == 401


def test_a_long_list_comes_whole(maya: httpx.Client, servers: list[Serving]):
    for number in range(300):
        maya.post(TODOS, json={"title": f"Book {number}", "description": "ä" * 5_000})

    with maya.stream("GET", TODOS) as answer:
        sizes = [len(piece) for piece in answer.iter_bytes()]

    assert answer.headers.get("content-length") is None
    assert len(sizes) > 2
    assert sum(sizes) > 300 * 10_000
    assert len(maya.get(TODOS).json()) == 300


@pytest.mark.parametrize("size", [1_100_000, 1_900_000])
def test_a_body_that_is_too_long_is_refused_in_the_contracts_words(maya: httpx.Client, size: int):
    answer = maya.post(TODOS, json={"title": "x" * size})

    assert answer.status_code == 413
    assert answer.headers["content-type"] == "application/problem+json"


def test_a_body_that_is_far_too_long_is_refused(maya: httpx.Client):
    answer = maya.post(TODOS, json={"title": "x" * 5_000_000})

    assert answer.status_code == 413


def test_a_long_query_reaches_the_server(maya: httpx.Client):
    answer = maya.get("/v1/tasks", params={"search": "x" * 30_000})

    assert answer.status_code == 422


def test_metrics_are_not_for_the_outside(proxy: Proxy):
    with proxy.client() as client:
        answers = [client.get(proxy.https + path) for path in ("/metrics", "/metrics/", "//metrics", "/%6Detrics")]

    assert {answer.status_code for answer in answers} == {404}


def test_no_read_fails_when_a_server_is_killed(maya: httpx.Client, servers: list[Serving]):
    def read(number: int) -> int:
        if number == 50:
            servers[0].process.kill()
        return maya.get(TODOS).status_code

    with ThreadPoolExecutor(8) as readers:
        statuses = Counter(readers.map(read, range(200)))

    assert statuses == {200: 200}
    assert maya.post(TODOS, json={"title": "Water the plants"}).status_code == 201


def test_a_server_that_stops_takes_no_more_than_the_writes_under_way(maya: httpx.Client, servers: list[Serving]):
    def write(number: int) -> int:
        if number == 50:
            servers[0].stop()
        return maya.post(TODOS, json={"title": f"Book {number}"}).status_code

    with ThreadPoolExecutor(WRITERS) as writers:
        statuses = list(writers.map(write, range(200)))

    # Whether a server did what it was sent while it closed the connection is not known, so it is not sent again.
    assert statuses.count(201) >= 200 - WRITERS
    assert set(statuses[100:]) == {201}
