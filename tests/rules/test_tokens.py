"""What a token must be, over all operations that ask for one."""

from datetime import timedelta

import httpx
import jwt
import pytest

from security.errors import WrongTokenKind
from tests.conftest import SECRET, Person, once
from tests.operations import Operation, bearer, code_of, for_each, request_of
from tests.rules.causes import let_pass, renewed_token

LIFETIMES = {"access": timedelta(minutes=15), "fresh": timedelta(minutes=15), "refresh": timedelta(days=7)}
REVOCATIONS = {"access": "logout", "fresh": "logout", "refresh": "logout-refresh"}

needs_token = for_each(lambda operation: operation.token)
needs_access_token = for_each(lambda operation: operation.token in {"access", "fresh"})


@once
@needs_token
def test_who_sends_no_token_is_not_let_in(operation: Operation, person: Person, anonymous: httpx.Client):
    request = request_of(operation, person)
    del request["headers"]

    response = anonymous.request(**request)

    assert code_of(response) == (401, "token_missing")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="quintet"'


@once
@needs_token
def test_the_token_is_asked_for_before_the_input_is_looked_at(
    operation: Operation, person: Person, anonymous: httpx.Client
):
    request = request_of(operation, person, item="abc")
    request["headers"] = {"Content-Type": "text/plain"}

    response = anonymous.request(**request)

    assert response.status_code == 401


@needs_token
def test_a_token_counts_to_the_end_of_its_life(operation: Operation, person: Person, monkeypatch: pytest.MonkeyPatch):
    request = request_of(operation, person)
    let_pass(monkeypatch, LIFETIMES[operation.token or ""] - timedelta(seconds=10))

    response = person.client.request(**request)

    assert response.status_code == operation.success


@once
@needs_token
def test_an_expired_token_does_not_count(operation: Operation, person: Person, monkeypatch: pytest.MonkeyPatch):
    request = request_of(operation, person)
    let_pass(monkeypatch, LIFETIMES[operation.token or ""])

    response = person.client.request(**request)

    assert code_of(response) == (401, "token_expired")
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


@needs_token
def test_a_revoked_token_does_not_count(operation: Operation, person: Person):
    request = request_of(operation, person)
    person.client.post(f"/api/v1/auth/{REVOCATIONS[operation.token or '']}", headers=request["headers"])

    response = person.client.request(**request)

    assert code_of(response) == (401, "token_revoked")


@once
@needs_token
def test_a_token_that_somebody_else_signed_does_not_count(operation: Operation, person: Person):
    request = request_of(operation, person)
    claims = jwt.decode(request["headers"]["Authorization"].split()[1], options={"verify_signature": False})
    request["headers"] = bearer(jwt.encode(claims, f"not {SECRET}", "HS256"))

    response = person.client.request(**request)

    assert code_of(response) == (401, "invalid_token")


@once
@needs_access_token
def test_a_refresh_token_in_the_place_of_an_access_token_does_not_count(operation: Operation, person: Person):
    request = {**request_of(operation, person), "headers": bearer(person.refresh_token)}

    response = person.client.request(**request)

    assert code_of(response) == (401, "wrong_token_kind")


@once
@for_each(lambda operation: operation.token == "refresh")
def test_an_access_token_in_the_place_of_a_refresh_token_is_of_the_wrong_kind(operation: Operation, person: Person):
    request = {**request_of(operation, person), "headers": bearer(person.access_token)}

    response = person.client.request(**request)

    assert code_of(response) == (operation.contract.status_of(WrongTokenKind), "wrong_token_kind")


@once
@needs_access_token
def test_only_what_asks_for_a_fresh_token_refuses_a_renewed_one(operation: Operation, person: Person):
    request = {**request_of(operation, person), "headers": bearer(renewed_token(person))}

    response = person.client.request(**request)

    needs_fresh = operation.token == "fresh"
    assert code_of(response) == ((401, "token_not_fresh") if needs_fresh else (operation.success, None))


@needs_token
def test_a_deleted_account_is_not_found_where_the_contract_says_so_and_not_let_in_elsewhere(
    operation: Operation, person: Person
):
    request = request_of(operation, person)
    person.close_account()

    response = person.client.request(**request)

    assert code_of(response) == (operation.deleted_account, "account_not_found")
