import socket
from collections.abc import Callable, Iterator

import httpx
import pytest

from server.validation.reading import MOST_BYTES
from tests.conftest import Person, once
from tests.server.conftest import TODOS, RawAnswer, assert_problem, raw_request, read_answer

pytestmark = once

JSON = {"Content-Type": "application/json"}
LOGIN = "/api/v1/auth/login"


def body_of(size: int) -> bytes:
    frame = b'{"title": "x", "filler": "%b"}'
    return frame % (b"y" * (size - len(frame % b"")))


def in_pieces(body: bytes) -> Iterator[bytes]:
    for start in range(0, len(body), 50_000):
        yield body[start : start + 50_000]


def test_a_chunked_body_needs_no_length(client: httpx.Client):
    response = client.post(TODOS, content=iter([b'{"tit', b'le": ', b'"x"}']), headers=JSON)

    assert response.request.headers["transfer-encoding"] == "chunked"
    assert response.status_code == 201


def test_chunks_may_have_extensions_and_trailers(exchange: Callable[[bytes], RawAnswer], person: Person):
    headers = [f"Authorization: Bearer {person.access_token}", "Content-Type: application/json"]

    answer = exchange(
        raw_request(
            "POST",
            TODOS,
            *headers,
            "Transfer-Encoding: chunked",
            body=b'1;a=b\r\n{\r\n00d\r\n"title": "x"}\r\n0\r\nX-After: x\r\n\r\n',
        )
    )

    assert answer.status == 201


@pytest.mark.parametrize("whole", [True, False], ids=["declared", "chunked"])
def test_a_body_of_one_mebibyte_is_taken(client: httpx.Client, whole: bool):
    body = body_of(MOST_BYTES)

    response = client.post(TODOS, content=body if whole else in_pieces(body), headers=JSON)

    assert len(body) == 1_048_576
    assert response.status_code == 201


@pytest.mark.parametrize("whole", [True, False], ids=["declared", "chunked"])
def test_a_body_of_one_byte_more_is_too_large(client: httpx.Client, whole: bool):
    body = body_of(MOST_BYTES + 1)

    response = client.post(TODOS, content=body if whole else in_pieces(body), headers=JSON)

    assert_problem(response, 413, "payload_too_large")
    assert client.get(TODOS).json() == []


def test_the_connection_goes_on_after_a_body_that_was_too_large(connect: Callable[[], socket.socket]):
    connection, body = connect(), b"x" * (2 * MOST_BYTES)

    connection.sendall(raw_request("POST", LOGIN, f"Content-Length: {len(body)}", body=body))
    refused = read_answer(connection)
    connection.sendall(raw_request("GET", "/healthz"))
    alive = read_answer(connection)

    assert (refused.status, alive.status) == (413, 200)


@pytest.mark.parametrize("length", [str(MOST_BYTES + 1), "999999999999999", "0" * 10 + "9999999", str(2**64 - 1)])
def test_a_length_that_is_too_large_is_refused_before_the_body_comes(
    exchange: Callable[[bytes], RawAnswer], length: str
):
    answer = exchange(raw_request("POST", LOGIN, f"Content-Length: {length}", "Expect: 100-continue"))

    assert_problem(answer, 413, "payload_too_large")


def test_a_client_that_asks_first_is_told_to_go_on(connect: Callable[[], socket.socket]):
    connection = connect()

    connection.sendall(
        raw_request("POST", LOGIN, "Content-Type: application/json", "Content-Length: 2", "Expect: 100-continue")
    )
    go_on = connection.recv(25)
    connection.sendall(b"{}")
    answer = read_answer(connection)

    assert go_on == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert_problem(answer, 400, "bad_input")


@pytest.mark.parametrize("length", ["-1", "abc", "+5", "5 5", "0x5", "1_0", "5, 6", "9" * 30, "9" * 5_000, "\u0661"])
def test_a_length_that_is_no_length_is_refused(exchange: Callable[[bytes], RawAnswer], length: str):
    header = f"Content-Length: {length.encode().decode('latin-1')}"

    answer = exchange(raw_request("POST", LOGIN, "Content-Type: application/json", header, body=b"hello"))

    assert_problem(answer, 400, "malformed_request")
    assert answer.headers["connection"] == "close"


@pytest.mark.parametrize(
    "headers",
    [
        ["Content-Length: 5", "Content-Length: 6"],
        ["Content-Length: 5", "Transfer-Encoding: chunked"],
        ["Transfer-Encoding: gzip, nonsense"],
    ],
)
def test_lengths_that_disagree_are_refused(exchange: Callable[[bytes], RawAnswer], headers: list[str]):
    answer = exchange(raw_request("POST", LOGIN, *headers, body=b"0\r\n\r\n"))

    assert_problem(answer, 400, "malformed_request")


def test_a_broken_chunk_is_refused(exchange: Callable[[bytes], RawAnswer]):
    answer = exchange(raw_request("POST", LOGIN, "Transfer-Encoding: chunked", body=b"zz\r\nhello\r\n0\r\n\r\n"))

    assert_problem(answer, 400, "malformed_request")
