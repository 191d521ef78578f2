from collections.abc import Callable, Iterator

import httpx
import pytest

from server.app import Quintet
from server.edge.cors import EXPOSED_HEADERS
from server.validation.reading import MOST_BYTES
from tests.conftest import HANGS_AFTER, ORIGIN, once
from tests.server.conftest import TODOS, assert_problem, served

pytestmark = once

FOREIGN = ["https://evil.example", "null", "http://localhost:5174", f"{ORIGIN}.evil.example", f"{ORIGIN}/"]
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}

REQUESTS: dict[int, Callable[[httpx.Client], httpx.Response]] = {
    200: lambda client: client.get(TODOS),
    400: lambda client: client.get(f"{TODOS}?limit=x"),
    401: lambda client: client.get(TODOS, headers={"Authorization": ""}),
    404: lambda client: client.get("/api/v1/nothing"),
    405: lambda client: client.patch(TODOS),
    413: lambda client: client.post(TODOS, content=b"x" * (MOST_BYTES + 1)),
    415: lambda client: client.post(TODOS, content=b"x"),
    304: lambda client: client.get("/docs/page/page.css", headers={"If-None-Match": "*"}),
}


@pytest.fixture
def page(visitor: httpx.Client) -> Iterator[httpx.Client]:
    """A page of an allowed origin, in which somebody is signed in."""
    visitor.headers["Origin"] = ORIGIN
    yield visitor
    del visitor.headers["Origin"]


@pytest.mark.parametrize("status", REQUESTS)
def test_a_page_of_an_allowed_origin_may_read_every_answer(page: httpx.Client, status: int):
    response = REQUESTS[status](page)

    assert response.status_code == status
    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert response.headers["access-control-allow-credentials"] == "true"
    assert response.headers["access-control-expose-headers"] == ", ".join(EXPOSED_HEADERS)
    assert response.headers["vary"] == "Origin"


@pytest.mark.parametrize("status", REQUESTS)
@pytest.mark.parametrize("origin", [None, "https://evil.example"])
def test_another_origin_is_allowed_nothing_and_caches_know_that_it_matters(
    visitor: httpx.Client, status: int, origin: str | None
):
    headers = {} if origin is None else {"Origin": origin}
    with httpx.Client(base_url=visitor.base_url, headers={**visitor.headers, **headers}, timeout=HANGS_AFTER) as client:
        response = REQUESTS[status](client)

    assert response.status_code == status
    assert "access-control-allow-origin" not in response.headers
    assert response.headers["vary"] == "Origin"


@pytest.mark.parametrize("path", [TODOS, f"{TODOS}/1", "/api/v1/auth/login", "/docs", "/nothing"])
def test_the_preflight_of_an_allowed_origin_needs_no_token(anonymous: httpx.Client, path: str):
    asked = {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "authorization, content-type"}

    response = anonymous.options(path, headers={"Origin": ORIGIN, "X-Request-ID": "asked", **asked})

    assert response.status_code == 200
    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert set(response.headers["access-control-allow-methods"].split(", ")) >= METHODS
    assert {"Authorization", "Content-Type"} <= set(response.headers["access-control-allow-headers"].split(", "))
    assert response.headers["access-control-allow-credentials"] == "true"
    assert response.headers["vary"].startswith("Origin")
    assert response.headers["x-request-id"] == "asked"


@pytest.mark.parametrize("origin", FOREIGN)
def test_the_preflight_of_another_origin_is_refused(anonymous: httpx.Client, origin: str):
    response = anonymous.options(TODOS, headers={"Origin": origin, "Access-Control-Request-Method": "GET"})

    assert_problem(response, 400, "preflight_refused")
    assert "access-control-allow-origin" not in response.headers
    assert response.headers["vary"].startswith("Origin")
    assert "x-request-id" in response.headers


@pytest.mark.parametrize(
    "asked",
    [
        {"Access-Control-Request-Method": "TRACE"},
        {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "x-other"},
    ],
)
def test_the_preflight_of_what_no_page_may_send_is_refused(anonymous: httpx.Client, asked: dict[str, str]):
    response = anonymous.options(TODOS, headers={"Origin": ORIGIN, **asked})

    assert_problem(response, 400, "preflight_refused")


def test_options_without_an_origin_is_a_method_like_any_other(anonymous: httpx.Client):
    response = anonymous.options(TODOS)

    assert_problem(response, 405, "method_not_allowed")
    assert response.headers["allow"] == "GET, HEAD, POST"


def test_where_all_origins_are_allowed_none_gets_credentials(base_url: str):
    app = Quintet(allowed_origins=("*",))

    with (
        served(app) as url,
        httpx.Client(base_url=url, headers={"Origin": "https://any.example"}, timeout=HANGS_AFTER) as client,
    ):
        answers = [client.get("/healthz"), client.get("/nothing"), client.get(TODOS)]
        answers.append(client.options(TODOS, headers={"Access-Control-Request-Method": "GET"}))

    assert [answer.status_code for answer in answers] == [200, 404, 401, 200]
    assert {answer.headers["access-control-allow-origin"] for answer in answers} == {"*"}
    assert not any("access-control-allow-credentials" in answer.headers for answer in answers)


def test_where_no_origin_is_allowed_none_is(base_url: str):
    app = Quintet()

    with served(app) as url, httpx.Client(base_url=url, headers={"Origin": ORIGIN}, timeout=HANGS_AFTER) as client:
        answer = client.get("/healthz")

    assert "access-control-allow-origin" not in answer.headers
