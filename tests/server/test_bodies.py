import socket
from collections.abc import Callable

import httpx
import pytest

from tests.conftest import Person, both, once
from tests.server.conftest import TODOS, Log, RawAnswer, assert_problem, raw_request

pytestmark = once

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
    "a lone surrogate in capitals": rb'{"title": "\uDBFFx"}',
    "a lone surrogate in a name": rb'{"title": "x", "\udfff": 1}',
    "a pair the wrong way round": rb'{"title": "\ude00\ud83d"}',
    "60,000 levels of arrays": b"[" * 60_000 + b"]" * 60_000,
    "10,000 levels of objects": b'{"title":' * 10_000 + b"1" + b"}" * 10_000,
    "100,000 levels that never end": b"[" * 100_000,
    "65 levels, all but the innermost closed again before": b"[" + b"[],[]," * 40 + b"[" * 64 + b"]" * 65,
    "65 levels of both kinds": b'[{"x":' * 33 + b"1" + b"}]" * 33,
    "65 levels within an unknown member": b'{"title": "x", "y": ' + b"[" * 64 + b"]" * 64 + b"}",
    "an integer of 5,000 digits": b'{"title": ' + b"1" * 5_000 + b"}",
    "an integer of 5,000 digits, unknown": b'{"title": "x", "y": ' + b"1" * 5_000 + b"}",
    "a number past all numbers": b'{"title": "x", "y": 1e999}',
    "a number below all numbers": b'{"title": "x", "y": -1e999}',
    "NaN": b'{"title": NaN}',
    "NaN, unknown": b'{"title": "x", "y": NaN}',
    "Infinity": b'{"title": "x", "y": Infinity}',
    "-Infinity": b'{"title": "x", "y": -Infinity}',
    "a name twice": b'{"title": "x", "title": "y"}',
    "a name twice, once escaped": rb'{"title": "x", "titl\u0065": "y"}',
    "a name twice further down": b'{"title": "x", "y": [{"z": 1, "z": 1}]}',
    "100,000 values": b'{"title": "x", "y": [' + b",".join([b"{}"] * 33_333) + b"]}",
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


@both
@pytest.mark.parametrize("number", [str(2**64), str(-(10**300)), "1e308", str(2**64 - 1), "5e-324"])
def test_a_number_of_any_size_is_kept_and_shown(client: httpx.Client, number: str):
    text = f'{{"preferences": {{"x": {number}}}}}'

    response = client.put("/v1/users/me", content=text, headers=JSON)

    assert response.status_code == 200
    assert float(client.get("/v1/users/me").json()["preferences"]["x"]) == float(number)


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


def test_a_list_of_ten_thousand_items_is_refused_for_its_length_alone(client: httpx.Client):
    text = b'{"title": "x", "core_skills_json": [' + b",".join([b"0"] * 10_000) + b"]}"

    response = client.post("/api/v1/anchor/achievements", content=text, headers=JSON)

    assert_problem(response, 400, "bad_input")
    assert response.json()["errors"] == [{"field": "core_skills_json", "message": "must have at most 100 items"}]


def test_a_request_whose_client_hangs_up_halfway_changes_nothing(
    connect: Callable[[], socket.socket], person: Person, log: Log
):
    connection = connect()
    headers = [f"Authorization: Bearer {person.access_token}", "Content-Type: application/json", "X-Request-ID: half"]

    connection.sendall(raw_request("POST", TODOS, *headers, "Content-Length: 15", body=b'{"title": "x"'))
    connection.close()

    assert log.line_of("half")["status"] is None
    assert person.client.get(TODOS).json() == []
