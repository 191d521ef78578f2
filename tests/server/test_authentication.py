import re
from base64 import urlsafe_b64encode
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
import jwt
import pytest

import clock
from tests.conftest import SECRET, Person, once
from tests.server.conftest import TODOS, RawAnswer, assert_problem, raw_request

pytestmark = once

BARE_CHALLENGE = 'Bearer realm="quintet"'


def claims(**changed: Any) -> dict[str, Any]:
    """Make the claims of a sound token of nobody, but for those that are changed (None takes one away)."""
    sound = {
        "sub": str(uuid4()),
        "type": "access",
        "jti": str(uuid4()),
        "sid": str(uuid4()),
        "iat": int(clock.now().timestamp()),
        "exp": int((clock.now() + timedelta(minutes=5)).timestamp()),
        "iss": "quintet",
        "aud": "quintet",
    }
    return {name: value for name, value in {**sound, **changed}.items() if value is not None}


def token(key: Any = SECRET, algorithm: Any = "HS256", **changed: Any) -> str:
    return jwt.encode(claims(**changed), key, algorithm)


def unsigned(header: bytes) -> str:
    return f"{urlsafe_b64encode(header).decode().rstrip('=')}.e30.c2ln"


BAD_TOKENS = {
    "empty": "",
    "a word": "word",
    "two parts": "a.b",
    "three words": "a.b.c",
    "not in ASCII": "\xe4.\xf6.\xfc",
    "a control character": "a\x01.b.c",
    "very long": "a" * 50_000,
    "two tokens": f"{token()}, {token()}",
    "of another key": token(key="another-key-that-signs-nothing-here-0123456789"),
    "of another algorithm": token(algorithm="HS512", key=SECRET * 2),
    "unsigned": jwt.encode(claims(), None, "none"),
    "with a header that is no object": unsigned(b"[]"),
    "with a header nested deep": unsigned(b"[" * 20_000),
    "with an algorithm that is no text": unsigned(b'{"alg": {}}'),
    "expired": token(exp=1),
    "expired long ago": token(exp=-(2**70)),
    "good for ever": token(exp=2**70),
    "with an expiry that is no number": token(exp="soon"),
    "of another issuer": token(iss="somebody"),
    "for another audience": token(aud="somebody"),
    "of no account": token(),
    "of an account that is no UUID": token(sub="7"),
    "of a login that is no UUID": token(sid=[1]),
    "of a kind there is not": token(type="master"),
    "a refresh token": token(type="refresh"),
    **{f"without {name}": token(**{name: None}) for name in claims()},
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
