import json
import socket
from collections.abc import Callable, Iterator
from math import inf
from typing import Any

import httpx
import pytest

from server.validation.body_lengths import longest
from server.validation.reading import MOST_BYTES, MOST_BYTES_WITHOUT_TOKEN
from tests.conftest import Person, once
from tests.operations import Operation, for_each
from tests.server.conftest import TODOS, RawAnswer, assert_problem, raw_request, read_answer

pytestmark = once

JSON = {"Content-Type": "application/json"}
LOGIN = "/api/v1/auth/login"
ACHIEVEMENTS = "/api/v1/anchor/achievements"

MOST_BYTES_OF_A_TODO = 131_072
"""A title of 200 characters and a description of 10,000, all escaped, take 122,400; this is the next power of two."""


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
def test_a_body_as_long_as_the_operation_takes_is_taken(client: httpx.Client, whole: bool):
    body = body_of(MOST_BYTES_OF_A_TODO)

    response = client.post(TODOS, content=body if whole else in_pieces(body), headers=JSON)

    assert len(body) == 131_072
    assert response.status_code == 201


@pytest.mark.parametrize(
    ("path", "body"),
    [
        (TODOS, {"title": "😀" * 200, "description": "😀" * 10_000}),
        (ACHIEVEMENTS, {"title": "😀" * 200, "description": "😀" * 10_000, "core_skills_json": ["😀" * 200] * 100}),
        ("/v1/tasks", {"title": "😀" * 200, "tags": ["😀" * 48 + f"{number:2}" for number in range(50)]}),
        ("/v1/users/me", {"preferences": {"x": [0] * 8_000}}),
    ],
    ids=["to-do", "achievement", "task with tags", "preferences"],
)
def test_the_largest_things_fit_however_they_are_written(client: httpx.Client, path: str, body: dict[str, object]):
    method = "PUT" if path.endswith("me") else "POST"
    spaced = json.dumps(body).replace("0, ", "0,")

    response = client.request(method, path, content=spaced.encode(), headers=JSON)

    assert response.status_code in {200, 201}


@for_each(lambda operation: operation.members)
def test_a_schema_is_as_long_as_the_longest_body_that_it_allows(operation: Operation):
    text = json.dumps(largest(operation.schema), separators=(",", ":"))

    assert len(text) <= longest(operation.schema) <= MOST_BYTES / 2


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        ({"type": "string"}, inf),
        ({"type": "object", "properties": {}, "additionalProperties": True}, inf),
        ({"type": "object", "properties": {"a": {"type": "array", "items": {"type": "boolean"}}}}, inf),
        ({"oneOf": [{"type": "boolean"}, {"type": "string", "maxLength": 10}]}, 122),
        ({"allOf": [{"enum": ["low", "high"]}], "default": "low"}, 36),
    ],
)
def test_a_schema_is_as_long_as_what_is_bounded_in_it(schema: dict[str, Any], expected: float):
    assert longest(schema) == expected


def largest(schema: dict[str, Any]) -> Any:
    """Make the value of a schema that takes the most room in JSON."""
    if "enum" in schema:
        return max(schema["enum"], key=len)
    match schema.get("type"):
        case "string":
            return "😀" * schema["maxLength"]
        case "array":
            return [largest(schema["items"])] * schema["maxItems"]
        case "object":
            return {"": "\1" * schema.get("x-most-bytes", 0)} | {
                name: largest(member) for name, member in schema["properties"].items()
            }
        case "integer" | "boolean":
            return schema.get("maximum", False)
    return largest(next(schema[word][0] for word in ("allOf", "anyOf", "oneOf") if word in schema))


@pytest.mark.parametrize("whole", [True, False], ids=["declared", "chunked"])
def test_without_a_token_no_more_than_16_kib_are_taken(anonymous: httpx.Client, whole: bool):
    answers = []
    for size in (16_384, 16_385):
        body = body_of(size)
        answers.append(anonymous.post(LOGIN, content=body if whole else in_pieces(body), headers=JSON))

    assert MOST_BYTES_WITHOUT_TOKEN == 16_384
    assert_problem(answers[0], 400, "bad_input")
    assert_problem(answers[1], 413, "payload_too_large")


@pytest.mark.parametrize("whole", [True, False], ids=["declared", "chunked"])
def test_a_body_of_one_byte_more_is_too_large(client: httpx.Client, whole: bool):
    body = body_of(MOST_BYTES_OF_A_TODO + 1)

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
