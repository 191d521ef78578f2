import re
from collections.abc import Callable

import httpx
import pytest

from tests.conftest import Person, once
from tests.server.conftest import TODOS, RawAnswer, assert_problem, raw_request

pytestmark = once

BARE_CHALLENGE = 'Bearer realm="quintet"'


BAD_TOKENS = {
    "empty": "",
    "a word": "word",
    "two parts": "a.b",
    "three words": "a.b.c",
    "not in ASCII": "\xe4.\xf6.\xfc",
    "a control character": "a\x01.b.c",
    "very long": "a" * 50_000,
}


@pytest.mark.parametrize("credentials", ["Basic dXNlcjpwYXNz", "Digest x", "Bearerabc", "abc", ""])
def test_what_is_no_bearer_token_is_no_token(exchange: Callable[[bytes], RawAnswer], credentials: str):
    answer = exchange(raw_request("GET", TODOS, f"Authorization: {credentials}"))

    assert_problem(answer, 401, "token_missing")
    assert answer.headers["www-authenticate"] == BARE_CHALLENGE


@pytest.mark.parametrize("bad", BAD_TOKENS.values(), ids=BAD_TOKENS.keys())
def test_a_token_that_does_not_count_is_called_invalid(exchange: Callable[[bytes], RawAnswer], bad: str):
    answer = exchange(raw_request("GET", TODOS, f"Authorization: Bearer {bad}"))

    if bad == BAD_TOKENS["a control character"]:
        assert_problem(answer, 400, "malformed_request")
        return
    assert_problem(answer, 401)
    challenge = answer.headers["www-authenticate"]
    assert re.fullmatch(r'Bearer realm="quintet", error="invalid_token", error_description="[^"\\]+"', challenge)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_name_of_the_scheme_may_be_in_any_case(anonymous: httpx.Client, person: Person, scheme: str):
    response = anonymous.get(TODOS, headers={"Authorization": f"{scheme} {person.access_token}"})

    assert response.status_code == 200


def test_of_two_tokens_neither_counts(exchange: Callable[[bytes], RawAnswer], visitor_token: str):
    good, bad = f"Authorization: Bearer {visitor_token}", "Authorization: Bearer x"

    answers = [exchange(raw_request("GET", TODOS, *headers)) for headers in ([good, bad], [bad, good], [good, good])]

    for answer in answers:
        assert_problem(answer, 401, "invalid_token")


def test_no_other_place_takes_a_token(anonymous: httpx.Client, person: Person):
    token = person.access_token
    headers = {"X-Access-Token": token, "Proxy-Authorization": f"Bearer {token}", "Cookie": f"access_token={token}"}

    response = anonymous.get(TODOS, params={"access_token": token}, headers=headers)

    assert response.status_code == 401


def test_an_operation_that_needs_no_token_does_not_mind_a_bad_one(anonymous: httpx.Client):
    response = anonymous.post("/api/v1/auth/login", json={}, headers={"Authorization": "Bearer x"})

    assert response.status_code == 400
