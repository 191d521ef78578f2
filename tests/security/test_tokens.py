"""Tokens as they are issued and read. What no forged one gets into, tests/rules/test_forgeries.py tries."""

from base64 import urlsafe_b64encode
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from types import SimpleNamespace
from typing import Any
from uuid import UUID, uuid4

import jwt
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from security.errors import InvalidToken
from security.tokens import (
    CLAIMS,
    SigningKey,
    access_lifetime,
    access_token,
    key_id,
    read_token,
    refresh_lifetime,
    refresh_token,
    sign_with,
)
from tests.conftest import SECRET
from tests.rules.forgeries import signed
from tests.security.conftest import SERVERS_KEY

AT = datetime(2026, 3, 2, 8, 15, 42, 318_204, tzinfo=UTC)
ACCOUNT: Any = SimpleNamespace(uuid=uuid4(), username="maya")
NEXT = "the-key-that-comes-next-and-signs-nothing-else-0123456789"
LOGIN: Any = SimpleNamespace(id=uuid4(), expires_at=AT + timedelta(days=7))

pytestmark = pytest.mark.usefixtures("signing")

with_fixtures = settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=40)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3)
)


@pytest.mark.parametrize("fresh", [True, False])
def test_an_access_token_says_what_was_decided(fresh: bool):
    claims = claims_in(access_token(ACCOUNT, LOGIN.id, fresh=fresh, at=AT))

    assert claims == {
        "sub": str(ACCOUNT.uuid),
        "username": "maya",
        "type": "access",
        "fresh": fresh,
        "jti": str(UUID(claims["jti"])),
        "sid": str(LOGIN.id),
        "iat": int(AT.timestamp()),
        "exp": int(AT.timestamp()) + 15 * 60,
        "iss": "quintet",
        "aud": "quintet",
    }


def test_a_refresh_token_lives_as_long_as_its_login():
    claims = claims_in(refresh_token(ACCOUNT, LOGIN, at=AT))

    assert (claims["type"], claims["fresh"]) == ("refresh", False)
    assert claims["exp"] - claims["iat"] == 7 * 24 * 60 * 60
    assert claims.keys() == {*CLAIMS, "username", "fresh"}


def test_no_two_tokens_are_the_same():
    tokens = {access_token(ACCOUNT, LOGIN.id, fresh=True, at=AT) for _ in range(10)}

    assert len({claims_in(token)["jti"] for token in tokens}) == 10


def test_a_token_is_read_as_it_was_issued():
    token = read_token(access_token(ACCOUNT, LOGIN.id, fresh=True, at=AT), at=AT)

    assert (token.account_uuid, token.login_id) == (ACCOUNT.uuid, LOGIN.id)
    assert (token.type, token.fresh) == ("access", True)
    assert token.expires_at == AT.replace(microsecond=0) + timedelta(minutes=15)


def test_lifetimes_are_those_of_the_key():
    sign_with(SigningKey(SECRET, "HS256", timedelta(minutes=1), timedelta(days=2)))

    claims = claims_in(access_token(ACCOUNT, LOGIN.id, fresh=True, at=AT))

    assert (access_lifetime(), refresh_lifetime()) == (timedelta(minutes=1), timedelta(days=2))
    assert claims["exp"] - claims["iat"] == 60


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
def test_tokens_are_signed_with_the_algorithm_that_was_set(algorithm: str):
    sign_with(SigningKey(SECRET * 2, algorithm, timedelta(minutes=15), timedelta(days=7)))

    raw = access_token(ACCOUNT, LOGIN.id, fresh=True, at=AT)

    assert jwt.get_unverified_header(raw)["alg"] == algorithm
    assert read_token(raw, at=AT).account_uuid == ACCOUNT.uuid


def test_another_key_makes_all_tokens_invalid_even_those_seen_before():
    raw = access_token(ACCOUNT, LOGIN.id, fresh=True, at=AT)
    read_token(raw, at=AT)

    sign_with(SigningKey(SECRET[::-1], "HS256", timedelta(minutes=15), timedelta(days=7)))

    with pytest.raises(InvalidToken):
        read_token(raw, at=AT)


def test_a_token_names_its_key_and_says_nothing_about_it():
    header = jwt.get_unverified_header(access_token(ACCOUNT, LOGIN.id, fresh=True, at=AT))

    assert header == {"alg": "HS256", "typ": "JWT", "kid": key_id(SECRET)}
    assert header["kid"] not in (SECRET, sha256(SECRET.encode()).hexdigest()[:16])


def test_what_the_last_key_has_signed_is_good_while_it_is_named():
    raw = access_token(ACCOUNT, LOGIN.id, fresh=True, at=AT)

    sign_with(replace(SERVERS_KEY, secret=NEXT, other_secrets=(SECRET,)))

    assert read_token(raw, at=AT).account_uuid == ACCOUNT.uuid
    assert jwt.get_unverified_header(access_token(ACCOUNT, LOGIN.id, fresh=True, at=AT))["kid"] == key_id(NEXT)


def test_a_process_accepts_the_next_key_before_it_signs_with_it():
    sign_with(replace(SERVERS_KEY, secret=NEXT, other_secrets=(SECRET,)))
    raw = access_token(ACCOUNT, LOGIN.id, fresh=True, at=AT)

    sign_with(replace(SERVERS_KEY, other_secrets=(NEXT,)))

    assert read_token(raw, at=AT).account_uuid == ACCOUNT.uuid


@pytest.mark.parametrize(
    ("named", "signed_by"), [(SECRET, NEXT), (NEXT, SECRET), ("a-key-of-nobody", NEXT)], ids=["old", "new", "unknown"]
)
def test_a_token_is_checked_by_the_key_that_it_names_and_by_no_other(named: str, signed_by: str):
    sign_with(replace(SERVERS_KEY, secret=NEXT, other_secrets=(SECRET,)))

    raw = signed({"alg": "HS256", "kid": key_id(named)}, claims(), key=signed_by.encode())

    with pytest.raises(InvalidToken):
        read_token(raw, at=AT)


def test_a_token_that_names_no_key_is_not_accepted():
    with pytest.raises(InvalidToken):
        read_token(signed({"alg": "HS256"}, claims()), at=AT)


def test_a_token_expires_to_the_second_even_one_seen_before():
    raw = access_token(ACCOUNT, LOGIN.id, fresh=True, at=AT)
    expires_at = read_token(raw, at=AT).expires_at

    read_token(raw, at=expires_at - timedelta(microseconds=1))

    with pytest.raises(InvalidToken) as refusal:
        read_token(raw, at=expires_at)
    assert refusal.value.code == "token_expired"


@with_fixtures
@given(st.text() | st.binary().map(lambda one: one.decode("latin-1")))
@example("")
@example("..")
@example("a.b.c")
@example("\ud800.\udfff.\0")
@example("x" * 1_000_000)
@example("." * 1_000_000)
@example("eyJ" * 300_000 + "." + "eyJ" * 30_000 + "." + "A" * 100_000)
@example(f"{urlsafe_b64encode(b'[' * 100_000).decode()}.e30.e30")
@example(f"{urlsafe_b64encode(b'9' * 5_000).decode()}.e30.e30")
def test_garbage_is_an_invalid_token_and_nothing_worse(raw: str):
    with pytest.raises(InvalidToken):
        read_token(raw, at=AT)


@with_fixtures
@given(st.dictionaries(st.sampled_from(["alg", "typ", "kid", "crit", "b64", "jku", "x"]), values))
def test_any_header_that_is_signed_is_read_or_refused(header: dict[str, Any]):
    read_or_refuse(signed(header, claims()))
    read_or_refuse(signed(header | {"kid": key_id(SECRET)}, claims()))


@with_fixtures
@given(st.dictionaries(st.sampled_from([*CLAIMS, "nbf", "fresh", "username"]), values))
def test_any_claims_that_are_signed_are_read_or_refused(wrong: dict[str, Any]):
    read_or_refuse(signed({"alg": "HS256", "kid": key_id(SECRET)}, claims() | wrong))


@with_fixtures
@given(values)
def test_any_content_that_is_signed_is_read_or_refused(content: Any):
    read_or_refuse(signed({"alg": "HS256", "kid": key_id(SECRET)}, content))


def claims() -> dict[str, Any]:
    """Claims of an access token in which nothing is wrong."""
    return claims_in(access_token(ACCOUNT, LOGIN.id, fresh=True, at=AT))


def claims_in(raw: str) -> dict[str, Any]:
    return jwt.decode(raw, options={"verify_signature": False})


def read_or_refuse(raw: str) -> None:
    with suppress(InvalidToken):
        read_token(raw, at=AT)
