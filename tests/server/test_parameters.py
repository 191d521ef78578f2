from collections.abc import Callable

import httpx
import pytest

from tests.conftest import once
from tests.server.conftest import TODOS, RawAnswer, assert_problem, raw_request

pytestmark = once

NO_LIMITS = ["", "0", "-1", "1001", "abc", "1.5", "1.0", "+1", "%201", "1e2", "01", "0x1", "true", "%D9%A3"]
NO_LIMITS += ["9" * 19, "9" * 20, "9" * 5_000, "1%00", "1%0A", "null", "1,2", "[1]"]

NO_QUERIES = ["limit=%FF", "%FF=1", "limit=1&x=%ED%A0%80", "x=%C0%80", "&".join(["x=1"] * 101), f"limit={'1' * 60_000}"]

NO_IDS = ["abc", "0", "-1", "+1", "01", "1.0", "1e2", "0x1", "null", "9223372036854775808", "9" * 5_000, "%D9%A3"]
NO_IDS += [
    "%00",
    "%0A",
    "%FF",
    "1%00",
    "1%0A",
    "%0A1",
    "1%FF",
    "%ED%A0%80",
    "1%2F",
    "%2F1",
    "1%3F",
    "%7Btodo_id%7D",
    "%",
]


@pytest.mark.parametrize("text", NO_LIMITS, ids=lambda text: text[:20])
def test_a_parameter_that_breaks_its_schema_is_bad_input(visitor: httpx.Client, text: str):
    response = visitor.get(f"{TODOS}?limit={text}")

    assert_problem(response, 400, "bad_input")
    assert [error["field"] for error in response.json()["errors"]] == ["limit"]


def test_all_wrong_parameters_are_told_at_once(visitor: httpx.Client):
    response = visitor.get(f"{TODOS}?limit=x&offset=-1")

    assert {error["field"] for error in response.json()["errors"]} == {"limit", "offset"}


def test_a_parameter_given_twice_is_bad_input(visitor: httpx.Client):
    response = visitor.get(f"{TODOS}?limit=1&offset=0&limit=1")

    assert_problem(response, 400, "bad_input")
    assert response.json()["errors"] == [{"field": "limit", "message": "must not be given more than once"}]


@pytest.mark.parametrize("query", NO_QUERIES, ids=lambda query: query[:20])
def test_a_query_that_is_too_long_or_not_in_utf8_is_bad_input(visitor: httpx.Client, query: str):
    response = visitor.get(f"{TODOS}?{query}")

    assert_problem(response, 400, "bad_input")


def test_a_url_past_64_kib_is_too_long(exchange: Callable[[bytes], RawAnswer]):
    answer = exchange(raw_request("GET", f"{TODOS}?x={'y' * 70_000}"))

    assert_problem(answer, 414, "url_too_long")


def test_unknown_parameters_are_ignored_however_often_they_come(visitor: httpx.Client):
    response = visitor.get(f"{TODOS}?x=1&x=2&y=&z&=&;limit=1")

    assert response.status_code == 200


@pytest.mark.parametrize("todo_id", NO_IDS, ids=lambda text: text[:20])
def test_what_cannot_be_an_id_is_not_found(exchange: Callable[[bytes], RawAnswer], visitor_token: str, todo_id: str):
    headers = [f"Authorization: Bearer {visitor_token}", "Content-Type: application/json", "Content-Length: 2"]

    answers = [
        exchange(raw_request(method, f"{TODOS}/{todo_id}", *headers, body=b"{}")) for method in ("GET", "PUT", "DELETE")
    ]

    for answer in answers:
        assert_problem(answer, 404, "not_found")


@pytest.mark.parametrize("target", [f"{TODOS}/\xff", f"{TODOS}?limit=\xff", f"{TODOS}/a b", "no-slash", ""])
def test_a_target_that_is_no_uri_is_refused(exchange: Callable[[bytes], RawAnswer], target: str):
    answer = exchange(raw_request("GET", target))

    assert_problem(answer, 400, "malformed_request")
