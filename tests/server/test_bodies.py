import socket
from collections.abc import Callable, Iterator

import httpx
import pytest

from server.validation.reading import MOST_BYTES
from tests.conftest import Person
from tests.server.conftest import TODOS, Log, RawAnswer, assert_problem, raw_request, read_answer

JSON = {"Content-Type": "application/json"}
LOGIN = "/api/v1/auth/login"

ALSO_JSON = [
    "application/json",
    "APPLICATION/JSON",
    "Application/Json; charset=UTF-8",
    'application/json;charset="utf-8"',
    "application/json; charset=utf8",
    "application/json ; profile=x",
]
NOT_JSON = [
    None,
    "",
    "text/plain",
    "*/*",
    "application/jsonp",
    "application/problem+json",
    "application/x-www-form-urlencoded",
    "multipart/form-data; boundary=x",
    "application/json, text/plain",
    "application/json; charset=iso-8859-1",
    "application/json; charset=utf-16",
    "application/json; charset=nonsense",
]
BROKEN_TEXTS = {
    "no UTF-8": b'{"title": "\xff\xfe"}',
    "overlong UTF-8": b'{"title": "\xc0\x80"}',
    "a surrogate in UTF-8": b'{"title": "\xed\xa0\x80"}',
    "UTF-16": '{"title": "x"}'.encode("utf-16"),
    "a byte order mark": b'\xef\xbb\xbf{"title": "x"}',
    "a lone high surrogate": rb'{"title": "\ud800"}',
    "a lone low surrogate": rb'{"title": "\udc00x"}',
    "100,000 levels of arrays": b"[" * 100_000 + b"]" * 100_000,
    "100,000 levels of objects": b'{"title":' * 100_000 + b"1" + b"}" * 100_000,
    "100,000 levels that never end": b"[" * 100_000,
    "65 levels within an unknown member": b'{"title": "x", "y": ' + b"[" * 64 + b"]" * 64 + b"}",
    "an integer of 5,000 digits": b'{"title": ' + b"1" * 5_000 + b"}",
    "an integer of 5,000 digits, unknown": b'{"title": "x", "y": ' + b"1" * 5_000 + b"}",
    "a number past all numbers": b'{"title": "x", "y": 1e999}',
    "NaN": b'{"title": NaN}',
    "NaN, unknown": b'{"title": "x", "y": NaN}',
    "Infinity": b'{"title": "x", "y": Infinity}',
    "-Infinity": b'{"title": "x", "y": -Infinity}',
    "a name twice": b'{"title": "x", "title": "y"}',
    "a name twice, once escaped": rb'{"title": "x", "titl\u0065": "y"}',
    "a name twice further down": b'{"title": "x", "y": [{"z": 1, "z": 1}]}',
    "white space": b" \n ",
    "half an object": b'{"title": "x"',
    "an object and more": b'{"title": "x"} {}',
    "single quotes": b"{'title': 'x'}",
    "a comment": b'{"title": "x"} // so it is',
    "a raw NUL": b'{"title": "\x00"}',
    "a form": b"title=x",
}


@pytest.mark.parametrize("media_type", ALSO_JSON)
def test_a_body_is_checked_however_its_media_type_is_written(client: httpx.Client, media_type: str):
    wrong = client.post(TODOS, content=b'{"title": 7}', headers={"Content-Type": media_type})
    right = client.post(TODOS, content=b'{"title": "x"}', headers={"Content-Type": media_type})

    assert wrong.status_code == 400
    assert wrong.json()["errors"] == [{"field": "title", "message": "must be a string"}]
    assert right.status_code == 201


@pytest.mark.parametrize("media_type", NOT_JSON)
def test_a_body_of_another_media_type_or_none_is_refused(visitor: httpx.Client, media_type: str | None):
    headers = {} if media_type is None else {"Content-Type": media_type}

    response = visitor.post(TODOS, content=b'{"title": "x"}', headers=headers)

    assert_problem(response, 415, "unsupported_media_type")
    assert visitor.get(TODOS).json() == []


def test_of_two_media_types_neither_counts(exchange: Callable[[bytes], RawAnswer], visitor_token: str):
    answer = exchange(
        raw_request(
            "POST",
            TODOS,
            f"Authorization: Bearer {visitor_token}",
            "Content-Type: application/json",
            "Content-Type: text/plain",
            "Content-Length: 2",
            body=b"{}",
        )
    )

    assert_problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize("text", BROKEN_TEXTS.values(), ids=BROKEN_TEXTS.keys())
def test_what_parsers_refuse_or_disagree_about_is_refused_and_not_kept(visitor: httpx.Client, text: bytes):
    response = visitor.post(TODOS, content=text, headers=JSON)

    assert_problem(response, 400, "malformed_json")
    assert visitor.get(TODOS).json() == []


@pytest.mark.parametrize("text", [b"null", b"7", b'"x"', b"[]", b'[{"title": "x"}]', b"true", b"1" * 300])
def test_a_body_that_is_no_object_is_bad_input(visitor: httpx.Client, text: bytes):
    response = visitor.post(TODOS, content=text, headers=JSON)

    assert_problem(response, 400, "bad_input")
    assert response.json()["errors"] == [{"field": "", "message": "must be an object"}]


def test_a_missing_body_is_bad_input(client: httpx.Client):
    response = client.post(TODOS)

    assert_problem(response, 400, "bad_input")


@pytest.mark.parametrize("title", ["a\0b", "\0", " \0"])
def test_nul_in_a_string_is_bad_input(visitor: httpx.Client, title: str):
    response = visitor.post(TODOS, json={"title": title})

    assert_problem(response, 400, "bad_input")
    assert visitor.get(TODOS).json() == []


def test_a_body_nested_as_deep_as_allowed_is_taken(client: httpx.Client):
    text = b'{"title": "[[[", "y": ' + b"[" * 63 + b"]" * 63 + b"}"

    response = client.post(TODOS, content=text, headers=JSON)

    assert response.status_code == 201


def test_several_errors_are_told_at_once(client: httpx.Client):
    response = client.post(TODOS, json={"title": "", "status": "done", "priority": 3, "due_date": "tomorrow"})

    assert_problem(response, 400, "bad_input")
    assert {error["field"] for error in response.json()["errors"]} == {"title", "status", "priority", "due_date"}


def test_all_missing_members_are_told_at_once(anonymous: httpx.Client):
    response = anonymous.post(LOGIN, json={})

    assert response.json()["errors"] == [
        {"field": "email", "message": "is required"},
        {"field": "password", "message": "is required"},
    ]


def test_no_more_than_twenty_errors_are_told(client: httpx.Client):
    response = client.post("/api/v1/anchor/achievements", json={"title": "x", "core_skills_json": [0] * 100})

    assert len(response.json()["errors"]) == 20


def test_a_list_of_half_a_million_items_is_refused_for_its_length_alone(client: httpx.Client):
    text = b'{"title": "x", "core_skills_json": [' + b",".join([b"0"] * 500_000) + b"]}"

    response = client.post("/api/v1/anchor/achievements", content=text, headers=JSON)

    assert_problem(response, 400, "bad_input")
    assert response.json()["errors"] == [{"field": "core_skills_json", "message": "must have at most 100 items"}]


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


def test_a_request_whose_client_hangs_up_halfway_changes_nothing(
    connect: Callable[[], socket.socket], person: Person, log: Log
):
    connection = connect()
    headers = [f"Authorization: Bearer {person.access_token}", "Content-Type: application/json", "X-Request-ID: half"]

    connection.sendall(raw_request("POST", TODOS, *headers, "Content-Length: 15", body=b'{"title": "x"'))
    connection.close()

    assert log.line_of("half")["status"] is None
    assert person.client.get(TODOS).json() == []
