import re
import socket
from collections.abc import Callable

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from server.app import Quintet
from server.contracts import CONTRACTS, Contract
from server.edge.heads import MOST_HEAD_BYTES
from server.routing.routes import Route
from tests.conftest import HANGS_AFTER, PASSWORD, Person, both, once
from tests.contract_truth import ROUTES
from tests.server.conftest import TODOS, RawAnswer, assert_problem, raw_request, read_answer, served

pytestmark = once

ALL_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
PAGES = ("/", "/docs", "/redoc", "/docs/contracts.json", "/healthz", "/readyz", "/docs/swagger-ui/swagger-ui.css")
BELOW = ("", "/", "/nothing", "/nothing/here", "/%0A", "/%00", "/%FF", "/..", "/%2e%2e", "//", "/%ED%A0%80")
ELSEWHERE = ["/nothing", "/favicon.ico", "//docs", "/docs//", "/docs/none", "/redoc//", "/openapi/none.yaml"]
ELSEWHERE += ["/docs/swagger-ui", "/docs/swagger-ui/", "/docs/page/none.js", f"/docs/page/{'x' * 5_000}"]
ELSEWHERE += ["/docs/page/%00", "/docs/page/%FF", "/docs/page/%0A", "/docs/page/../docs.py"]
ELSEWHERE += ["/docs/page/%2e%2e/docs.py", "/docs/page/..%2f..%2fapp.py"]
NO_HTTP = [b"\x16\x03\x01\x02\x00\x01\r\n\r\n", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"hello\r\n\r\n"]


def routes() -> list[Route]:
    return sorted(ROUTES, key=lambda route: route.template)


def concrete(template: str, filling: str = "1") -> str:
    return re.sub(r"\{[^}]+\}", filling, template)


def unknown_paths() -> list[tuple[Contract, str]]:
    paths = [(contract, f"{concrete(contract.base_path)}{below}") for contract in CONTRACTS for below in BELOW]
    return [(contract, path) for contract, path in paths if ROUTES.find(path.encode()) is None]


@pytest.mark.parametrize(("contract", "path"), unknown_paths())
def test_an_unknown_path_below_a_base_path_has_the_shape_of_its_contract(
    exchange: Callable[[bytes], RawAnswer], contract: Contract, path: str
):
    answer = exchange(raw_request("GET", path))

    assert answer.status == 404
    assert answer.headers["content-type"] == contract.media_type


@pytest.mark.parametrize("path", ELSEWHERE, ids=lambda path: path[:40])
def test_an_unknown_path_elsewhere_is_a_problem_document(exchange: Callable[[bytes], RawAnswer], path: str):
    answer = exchange(raw_request("GET", path))

    assert_problem(answer, 404, "not_found")


@pytest.mark.parametrize("tail", ["/", "//", "/1/", "/1/2"])
def test_a_path_with_more_segments_than_its_template_is_unknown(exchange: Callable[[bytes], RawAnswer], tail: str):
    answer = exchange(raw_request("GET", f"{TODOS}{tail}"))

    assert_problem(answer, 404, "not_found")


def test_percent_encoding_means_the_same_path(visitor: httpx.Client):
    response = visitor.get("/api/v1/%74odo/todo%73")

    assert response.status_code == 200


@pytest.mark.parametrize("route", routes(), ids=lambda route: route.template)
def test_other_methods_get_405_with_all_that_a_path_allows(exchange: Callable[[bytes], RawAnswer], route: Route):
    allowed = set(route.endpoints) | ({"HEAD"} if "GET" in route.endpoints else set())
    others = [method for method in ALL_METHODS if method not in allowed]

    answers = [exchange(raw_request(method, concrete(route.template))) for method in others]

    assert {answer.status for answer in answers} == {405}
    assert {answer.headers["allow"] for answer in answers} == {", ".join(sorted(allowed))}
    contract = next(iter(route.endpoints.values())).contract
    assert {answer.headers["content-type"] for answer in answers} == {contract.media_type}


@pytest.mark.parametrize("path", PAGES)
def test_the_pages_only_let_themselves_be_read(exchange: Callable[[bytes], RawAnswer], path: str):
    answers = [exchange(raw_request(method, path)) for method in ("POST", "PUT", "DELETE", "OPTIONS", "PROPFIND")]

    for answer in answers:
        assert_problem(answer, 405, "method_not_allowed")
        assert answer.headers["allow"] == "GET, HEAD"


@pytest.mark.parametrize("path", [*PAGES[1:], "/nothing", TODOS, f"{TODOS}/0", "/api/v1/auth/me", "/api/v1/nothing"])
def test_head_answers_like_get_without_the_body(connect: Callable[[], socket.socket], visitor_token: str, path: str):
    connection, headers = connect(), [f"Authorization: Bearer {visitor_token}", "X-Request-ID: same"]

    connection.sendall(raw_request("GET", path, *headers))
    got = read_answer(connection, "GET")
    connection.sendall(raw_request("HEAD", path, *headers))
    head = read_answer(connection, "HEAD")
    connection.sendall(raw_request("GET", path, *headers))
    again = read_answer(connection, "GET")

    assert head.body == b""
    assert (got.status, again.status) == (head.status, head.status)
    assert head.headers["content-length"] == str(len(got.body))
    without_date = [(name, value) for name, value in got.headers.items() if name != "date"]
    assert [(name, value) for name, value in head.headers.items() if name != "date"] == without_date


def test_head_where_nothing_can_be_read_is_a_405_without_a_body(exchange: Callable[[bytes], RawAnswer]):
    answer = exchange(raw_request("HEAD", "/api/v1/auth/login"))

    assert (answer.status, answer.headers["allow"], answer.body) == (405, "POST", b"")
    assert int(answer.headers["content-length"]) > 0


@pytest.mark.parametrize("method", ["BREW", "get", "G\xc4T"])
def test_a_method_that_http_does_not_know_is_refused(exchange: Callable[[bytes], RawAnswer], method: str):
    answer = exchange(raw_request(method, "/healthz"))

    assert_problem(answer, 400, "malformed_request")


@pytest.mark.parametrize("line", NO_HTTP)
def test_what_is_no_http_is_refused(exchange: Callable[[bytes], RawAnswer], line: bytes):
    answer = exchange(line)

    assert_problem(answer, 400, "malformed_request")


def test_headers_without_an_end_are_refused(connect: Callable[[], socket.socket]):
    connection = connect()
    connection.sendall(raw_request("GET", "/healthz") + b"GET /healthz HTTP/1.1\r\nX-Long: ")
    read_answer(connection)

    connection.sendall(b"x" * (MOST_HEAD_BYTES + 1))
    answer = read_answer(connection)

    assert_problem(answer, 431, "headers_too_large")


def test_many_requests_on_one_connection_may_have_long_headers_together(connect: Callable[[], socket.socket]):
    connection = connect()

    answers = []
    for _ in range(8):
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Long: " + b"x" * 15_000)
        connection.sendall(b"x" * 15_000 + b"\r\n\r\n")
        answers.append(read_answer(connection))

    assert {answer.status for answer in answers} == {200}


def test_a_request_to_the_whole_server_is_unknown(exchange: Callable[[bytes], RawAnswer]):
    answer = exchange(raw_request("OPTIONS", "*"))

    assert_problem(answer, 404, "not_found")


def test_the_absolute_form_of_a_target_is_understood(exchange: Callable[[bytes], RawAnswer]):
    answer = exchange(raw_request("GET", "http://quintet.example/healthz"))

    assert answer.status == 200


@both
def test_a_client_without_an_address_is_served(base_url: str, person: Person):
    inner = Quintet()

    async def over_a_unix_socket(scope: Scope, receive: Receive, send: Send) -> None:
        await inner({**scope, "client": None}, receive, send)

    credentials = {"email": person.email, "password": PASSWORD}
    with served(over_a_unix_socket) as url, httpx.Client(base_url=url, timeout=HANGS_AFTER) as client:
        answers = [client.get("/healthz"), client.get(TODOS), client.post("/api/v1/auth/login", json=credentials)]

    assert [answer.status_code for answer in answers] == [200, 401, 200]
