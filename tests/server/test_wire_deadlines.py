"""Deadlines: what is half open is closed, and who does not read is hung up on."""

import socket
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from errno import ECONNRESET
from time import monotonic, sleep
from urllib.parse import urlsplit

import pytest
from starlette.types import Receive, Scope, Send

from server.edge import deadlines
from tests.conftest import HANGS_AFTER, Person, once
from tests.server.conftest import TODOS, Log, assert_problem, raw_request, read_answer, served

pytestmark = once

Connect = Callable[[], socket.socket]

LOGIN = "/api/v1/auth/login"


@pytest.fixture(autouse=True)
def short_deadlines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deadlines, "CHECK_SECONDS", 0.02)
    monkeypatch.setattr(deadlines, "HEAD_SECONDS", 0.3)
    monkeypatch.setattr(deadlines, "BODY_SECONDS", 0.6)
    monkeypatch.setattr(deadlines, "SEND_SECONDS", 0.6)


def test_the_deadlines_are_ten_and_thirty_seconds(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()

    assert (deadlines.HEAD_SECONDS, deadlines.BODY_SECONDS, deadlines.SEND_SECONDS) == (10, 30, 30)


@pytest.mark.parametrize("sent", [b"", b"\r\n"], ids=["nothing", "an empty line"])
def test_a_connection_without_a_request_is_closed(connect: Connect, sent: bytes):
    connection = connect()
    connection.sendall(sent)

    assert connection.recv(1_000) == b""


@pytest.mark.parametrize("first", [b"", raw_request("GET", "/healthz")], ids=["a new one", "a kept one"])
@pytest.mark.parametrize("half", [b"G", b"GET /heal", b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Half: "])
def test_half_a_head_is_refused_in_the_end(connect: Connect, first: bytes, half: bytes, log: Log):
    connection = connect()
    if first:
        connection.sendall(first)
        read_answer(connection)

    connection.sendall(half)
    answer = read_answer(connection)

    assert_problem(answer, 408, "request_timeout")
    assert answer.headers["connection"] == "close"
    assert connection.recv(1_000) == b""
    assert log.line_of(answer.headers["x-request-id"])["status"] == 408


def test_a_head_in_drops_has_no_more_time(connect: Connect):
    connection = connect()

    connection.sendall(b"GET /v1/tasks HTTP/1.1\r\n")
    connection.settimeout(0.05)
    answer = b""
    for _ in range(200):
        connection.sendall(b"X: y\r\n")
        with suppress(TimeoutError):
            answer = connection.recv(100)
            break

    assert answer.startswith(b"HTTP/1.1 408 Request Timeout\r\n")


def test_half_a_body_is_refused_in_the_contracts_shape_and_named_in_the_log(connect: Connect, log: Log):
    connection = connect()

    connection.sendall(raw_request("POST", "/v1/auth/login", "X-Request-ID: half", "Content-Length: 50", body=b"{"))
    answer = read_answer(connection)
    line = log.line_of("half")

    assert (answer.status, answer.headers["content-type"]) == (408, "application/json")
    assert (answer.headers["x-request-id"], answer.headers["connection"]) == ("half", "close")
    assert (line["status"], line["route"], line["level"]) == (408, "/v1/auth/login", "info")
    assert "error" not in log.all_text()


def test_a_body_that_was_asked_for_and_does_not_come_is_refused(connect: Connect):
    connection = connect()

    connection.sendall(raw_request("POST", LOGIN, "Content-Length: 2", "Expect: 100-continue"))
    go_on = connection.recv(25)
    answer = read_answer(connection)

    assert go_on == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert_problem(answer, 408, "request_timeout")


@pytest.mark.parametrize("rest", [b"", b"x"], ids=["nothing", "drops"])
def test_the_rest_of_a_body_that_was_answered_already_is_not_awaited_for_ever(connect: Connect, rest: bytes):
    connection = connect()

    connection.sendall(raw_request("POST", TODOS, "Content-Length: 50"))
    answer = read_answer(connection)
    connection.sendall(rest)

    assert_problem(answer, 401, "token_missing")
    assert connection.recv(1_000) == b""


def test_a_body_that_comes_after_its_answer_leaves_the_connection_open(connect: Connect):
    connection = connect()

    connection.sendall(raw_request("POST", TODOS, "Content-Length: 2"))
    refused = read_answer(connection)
    connection.sendall(b"{}" + raw_request("GET", "/healthz"))
    alive = read_answer(connection)

    assert (refused.status, alive.status) == (401, 200)


def test_an_idle_connection_is_not_a_half_open_one(connect: Connect, person: Person):
    connection = connect()
    connection.sendall(raw_request("GET", "/healthz"))
    read_answer(connection)

    sleep(3 * deadlines.HEAD_SECONDS)
    connection.sendall(raw_request("GET", "/healthz"))

    assert read_answer(connection).status == 200


async def talkative(_scope: Scope, _receive: Receive, send: Send) -> None:
    """Answer with more than any socket takes at once."""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % LONG)]})
    for _ in range(LONG // PIECE):
        await send({"type": "http.response.body", "body": b"x" * PIECE, "more_body": True})
    await send({"type": "http.response.body", "body": b""})


LONG, PIECE = 16_777_216, 65_536


@pytest.fixture
def reader() -> Iterator[socket.socket]:
    with served(talkative) as url, closing(socket.socket()) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 8_192)
        connection.settimeout(HANGS_AFTER)
        connection.connect(("127.0.0.1", urlsplit(url).port))
        connection.sendall(raw_request("GET", "/"))
        yield connection


def test_a_client_that_does_not_read_is_hung_up_on(reader: socket.socket):
    assert reader.recv(100)

    # What is read would be progress; the socket's own error comes without reading.
    error = 0
    for _ in range(200):
        if error := reader.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            break
        sleep(0.05)

    assert error == ECONNRESET


def test_a_client_that_reads_slowly_gets_its_answer_whole(reader: socket.socket):
    received, until = 0, monotonic() + 3 * deadlines.SEND_SECONDS
    while received < LONG and (piece := reader.recv(PIECE)):
        received += len(piece)
        sleep(0.01 if monotonic() < until else 0)

    assert received >= LONG
