"""The wire: where a request begins and ends, and how much of it is kept."""

import gc
import re
import socket
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from server.edge import crowds
from server.edge.heads import MOST_HEAD_BYTES, MOST_HEADERS
from server.edge.wire import SLICE_BYTES
from tests.conftest import HANGS_AFTER, Person, once
from tests.server.conftest import TODOS, Log, RawAnswer, assert_problem, raw_request, read_answer, served

pytestmark = once

Connect = Callable[[], socket.socket]
Exchange = Callable[[bytes], RawAnswer]

CHUNKED = ("Content-Type: application/json", "Transfer-Encoding: chunked")
LOGIN = "/api/v1/auth/login"


def test_a_trailer_is_no_header_even_in_the_packet_of_the_head(exchange: Exchange, person: Person):
    trailer = f"0\r\nAuthorization: Bearer {person.access_token}\r\n\r\n".encode()

    answer = exchange(raw_request("POST", TODOS, *CHUNKED, body=b'e\r\n{"title": "x"}\r\n' + trailer))

    assert_problem(answer, 401, "token_missing")
    assert person.client.get(TODOS).json() == []


@pytest.mark.parametrize(
    "endless",
    [b"0\r\n" + b"X-After: x\r\n" * 10_000, b"0\r\nX-After: " + b"x" * 100_000, b"1;" + b"x" * 100_000],
    ids=["trailers", "one trailer", "a chunk's extension"],
)
def test_what_is_around_a_body_has_the_bounds_of_a_head(connect: Connect, endless: bytes, log: Log):
    connection = connect()

    connection.sendall(raw_request("POST", LOGIN, *CHUNKED) + b"2\r\n{}\r\n" + endless)
    answer = read_answer(connection)

    assert_problem(answer, 431, "headers_too_large")
    assert answer.headers["connection"] == "close"
    assert log.line_of(answer.headers["x-request-id"])["status"] == 431


def test_small_chunks_may_be_many(exchange: Exchange, person: Person):
    token = f"Authorization: Bearer {person.access_token}"
    body = b'{"title": "x"' + b" " * MOST_HEAD_BYTES + b"}"

    chunks = b"".join(b"1;a=b\r\n%c\r\n" % byte for byte in body)
    answer = exchange(raw_request("POST", TODOS, token, *CHUNKED, body=chunks + b"0\r\n\r\n"))

    assert answer.status == 201


def test_a_head_of_more_than_64_kib_is_refused_though_it_is_complete(exchange: Exchange):
    answer = exchange(raw_request("GET", "/healthz", f"X-Long: {'x' * (MOST_HEAD_BYTES + 2 * SLICE_BYTES)}"))

    assert_problem(answer, 431, "headers_too_large")


@pytest.mark.parametrize("end", [b"\r\n", b"a:"], ids=["complete", "without an end"])
def test_too_many_headers_are_refused(connect: Connect, end: bytes):
    connection = connect()

    connection.sendall(raw_request("GET", "/healthz").removesuffix(b"\r\n") + b"a:\r\n" * 2 * MOST_HEADERS * 6 + end)

    assert_problem(read_answer(connection), 431, "headers_too_large")


NO_HEADS = {
    "no host": b"GET /healthz HTTP/1.1\r\n\r\n",
    "two hosts": b"GET /healthz HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n",
    "a host that is none": b"GET /healthz HTTP/1.1\r\nHost: a/b\r\n\r\n",
    "lengths that agree": raw_request("POST", LOGIN, "Content-Length: 2", "Content-Length: 2", body=b"{}"),
    "length and chunks": raw_request(
        "POST", LOGIN, "Transfer-Encoding: chunked", "Content-Length: 5", body=b"0\r\n\r\n"
    ),
    "an unknown coding": raw_request("POST", LOGIN, "Transfer-Encoding: gzip, chunked", body=b"0\r\n\r\n"),
    "a coding alone": raw_request("POST", LOGIN, "Transfer-Encoding: gzip", body=b"0\r\n\r\n"),
    "chunks in HTTP/1.0": f"POST {LOGIN} HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".encode(),
    "a folded line": raw_request("GET", "/healthz", "X-Long: a", " b"),
    "a space before the colon": raw_request("GET", "/healthz", "X-Long : a"),
    "lines without CR": b"GET /healthz HTTP/1.1\nHost: x\n\n",
}


@pytest.mark.parametrize("raw", NO_HEADS.values(), ids=NO_HEADS.keys())
def test_a_head_that_others_may_read_otherwise_is_refused(connect: Connect, raw: bytes):
    connection = connect()

    connection.sendall(raw + raw_request("GET", "/healthz"))
    answer = read_answer(connection)

    assert_problem(answer, 400, "malformed_request")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert connection.recv(1_000) == b""


def test_http_1_0_needs_no_host(exchange: Exchange):
    assert exchange(b"GET /healthz HTTP/1.0\r\n\r\n").status == 200


UPGRADE = ("Connection: Upgrade", "Upgrade: h2c")


def test_a_wish_for_another_protocol_is_passed_over(connect: Connect):
    connection = connect()

    connection.sendall(raw_request("GET", "/healthz", *UPGRADE) * 2 + raw_request("GET", "/", "Connection: close"))
    answers = connection.makefile("rb").read()

    assert re.findall(rb"HTTP/1.1 (\d+)", answers) == [b"200", b"200", b"200"]


def test_the_body_of_an_upgrade_is_not_taken_for_a_request(connect: Connect):
    connection, inner = connect(), raw_request("GET", "/healthz")

    connection.sendall(raw_request("POST", LOGIN, *UPGRADE, f"Content-Length: {len(inner)}", body=inner))
    answer = read_answer(connection)

    assert_problem(answer, 400, "upgrade_with_body")
    assert connection.recv(1_000) == b""


def test_what_is_no_http_waits_for_the_answer_before_it(connect: Connect):
    connection = connect()

    connection.sendall(raw_request("GET", "/healthz") + b"nonsense\r\n\r\n")
    answer = read_answer(connection)

    assert (answer.status, answer.headers["connection"]) == (200, "close")
    assert connection.recv(1_000) == b""


def test_a_request_that_breaks_in_its_body_has_one_line_in_the_log(connect: Connect, person: Person, log: Log):
    connection = connect()
    head = raw_request("POST", TODOS, f"Authorization: Bearer {person.access_token}", *CHUNKED, "X-Request-ID: broken")

    connection.sendall(head)
    person.client.get("/healthz")
    connection.sendall(b"zz\r\n")
    answer = read_answer(connection)
    line = log.line_of("broken")
    person.client.get("/healthz", headers={"X-Request-ID": "afterwards"})
    log.line_of("afterwards")

    assert_problem(answer, 400, "malformed_request")
    assert answer.headers["x-request-id"] == "broken"
    assert (line["status"], line["route"], line["level"]) == (400, TODOS, "info")
    assert sum('"broken"' in one for one in log.read) == 1


def test_pipelined_requests_are_answered_in_their_order(connect: Connect):
    connection = connect()
    requests = [raw_request("GET", "/healthz", f"X-Request-ID: {n}") for n in range(600)]

    connection.sendall(b"".join(requests) + raw_request("GET", "/", "Connection: close", "X-Request-ID: 600"))
    answers = connection.makefile("rb").read()

    assert re.findall(rb"^x-request-id: (\d+)", answers, re.MULTILINE) == [b"%d" % n for n in range(601)]


@pytest.fixture
def kept() -> list[int]:
    return []


@pytest.fixture
def own_connect(kept: list[int]) -> Iterator[Connect]:
    """Open connections to a server of the test's own, which notes how many requests it keeps as it answers."""
    opened: list[socket.socket] = []

    async def app(_scope: Scope, _receive: Receive, send: Send) -> None:
        kept.append(sum(isinstance(one, RequestResponseCycle) for one in gc.get_objects()))
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    def connect() -> socket.socket:
        opened.append(socket.create_connection(("127.0.0.1", urlsplit(url).port), timeout=HANGS_AFTER))
        return opened[-1]

    with served(app) as url:
        yield connect
        for connection in opened:
            connection.close()


def test_pipelined_requests_are_not_all_made_at_once(own_connect: Connect, kept: list[int]):
    connection, short = own_connect(), b"GET / HTTP/1.1\r\nHost:\r\n\r\n"

    connection.sendall(short * 399 + raw_request("GET", "/", "Connection: close"))
    answers = connection.makefile("rb").read()

    assert answers.count(b"HTTP/1.1 200") == 400
    assert max(kept) < 2 * SLICE_BYTES / len(short)


def test_where_there_is_no_room_who_waits_for_a_request_makes_some(
    own_connect: Connect, monkeypatch: pytest.MonkeyPatch
):
    silent = [own_connect() for _ in range(3)]
    monkeypatch.setattr(crowds, "MOST_CONNECTIONS", 3)
    monkeypatch.setattr(crowds, "GIVEN_UP_AT_ONCE", 1)

    connection = own_connect()
    connection.sendall(raw_request("GET", "/"))
    answer = read_answer(connection)
    left = [one for one in silent if is_open(one)]

    assert answer.status == 200
    assert len(left) == 2


def is_open(connection: socket.socket) -> bool:
    try:
        connection.sendall(raw_request("GET", "/"))
        return connection.recv(1_000) != b""
    except OSError:
        return False


def test_what_waits_behind_another_request_leaves_others_their_turn(own_connect: Connect, kept: list[int]):
    pipelining, other, short = own_connect(), own_connect(), b"GET / HTTP/1.1\r\nHost:\r\n\r\n"

    pipelining.sendall(short * 2_000)
    pipelining.recv(100)
    other.sendall(raw_request("GET", "/"))
    answer = read_answer(other)

    assert answer.status == 200
    assert len(kept) < 2_000
