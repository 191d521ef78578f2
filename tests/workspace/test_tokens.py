"""What a token must be, over all operations that ask for one."""

from datetime import timedelta

import httpx
import jwt
import pytest

from db.accounts import close_account
from db.clock import now
from db.engine import transaction
from server import token_check
from tests.conftest import SECRET, Person
from tests.workspace.operations import API, Operation, bearer, code_of, for_each, request_of

ME = f"{API}/auth/me"
LIFETIMES = {
    "accessToken": timedelta(minutes=15),
    "freshToken": timedelta(minutes=15),
    "refreshToken": timedelta(days=7),
}


def needs_token(operation: Operation) -> bool:
    return operation.token is not None


def needs_access_token(operation: Operation) -> bool:
    return operation.token in {"accessToken", "freshToken"}


def let_pass(monkeypatch: pytest.MonkeyPatch, time: timedelta) -> None:
    """Let the server's clock, as far as tokens are concerned, go on."""
    later = now() + time
    monkeypatch.setattr(token_check, "now", lambda: later)


@for_each(needs_token)
def test_a_token_counts_to_the_end_of_its_life(operation: Operation, person: Person, monkeypatch: pytest.MonkeyPatch):
    request = request_of(operation, person)
    let_pass(monkeypatch, LIFETIMES[operation.token or ""] - timedelta(seconds=10))

    response = person.client.request(**request)

    assert response.status_code == operation.success


@for_each(needs_token)
def test_an_expired_token_does_not_count(operation: Operation, person: Person, monkeypatch: pytest.MonkeyPatch):
    request = request_of(operation, person)
    let_pass(monkeypatch, LIFETIMES[operation.token or ""])

    response = person.client.request(**request)

    assert code_of(response) == (401, "token_expired")
    assert 'error="invalid_token"' in response.headers["WWW-Authenticate"]


@for_each(needs_token)
def test_a_revoked_token_does_not_count(operation: Operation, person: Person):
    request = request_of(operation, person)
    revocation = "logout-refresh" if operation.token == "refreshToken" else "logout"
    person.client.post(f"{API}/auth/{revocation}", headers=request["headers"])

    response = person.client.request(**request)

    assert code_of(response) == (401, "token_revoked")


@for_each(needs_token)
def test_a_token_that_somebody_else_signed_does_not_count(operation: Operation, person: Person):
    request = request_of(operation, person)
    claims = jwt.decode(request["headers"]["Authorization"].split()[1], options={"verify_signature": False})
    request["headers"] = bearer(jwt.encode(claims, f"not {SECRET}", "HS256"))

    response = person.client.request(**request)

    assert code_of(response) == (401, "invalid_token")


@for_each(needs_access_token)
def test_a_refresh_token_in_the_place_of_an_access_token_does_not_count(operation: Operation, person: Person):
    request = {**request_of(operation, person), "headers": bearer(person.refresh_token)}

    response = person.client.request(**request)

    assert code_of(response) == (401, "wrong_token_kind")


@for_each(needs_token)
def test_a_deleted_account_is_not_found_where_the_contract_says_so_and_not_let_in_elsewhere(
    operation: Operation, person: Person
):
    request = request_of(operation, person)
    with transaction() as session:
        close_account(session, person.id)

    response = person.client.request(**request)

    says_so = operation.id in {"read_me", "change_password", "read_profile", "update_profile"}
    assert code_of(response) == (404 if says_so else 401, "account_not_found")


@for_each(needs_access_token)
def test_only_what_asks_for_a_fresh_token_refuses_a_renewed_one(operation: Operation, person: Person):
    renewed = person.client.post(f"{API}/auth/refresh", headers=bearer(person.refresh_token)).json()["access_token"]
    request = {**request_of(operation, person), "headers": bearer(renewed)}

    response = person.client.request(**request)

    needs_fresh = operation.id == "change_password"
    assert code_of(response) == ((401, "token_not_fresh") if needs_fresh else (operation.success, None))


@pytest.mark.parametrize(
    "authorization",
    ["", "Bearer", "Basic bWF5YTpIYXJib3ItTGFudGVybi00Mg==", "Token {token}", "{token}", "Bearer: {token}"],
)
def test_what_is_no_bearer_token_is_none(authorization: str, person: Person, anonymous: httpx.Client):
    response = anonymous.get(ME, headers={"Authorization": authorization.format(token=person.access_token)})

    assert response.status_code == 401
    assert response.headers["WWW-Authenticate"].startswith('Bearer realm="quintet"')


@pytest.mark.parametrize("token", ["x", "a.b.c", "{token}x", "x{token}", "{token} {token}", "{token}\xff"])
def test_a_malformed_token_does_not_count(token: str, person: Person, anonymous: httpx.Client):
    header = f"Bearer {token.format(token=person.access_token)}".encode("latin-1")

    response = anonymous.get(ME, headers={b"Authorization": header})

    assert code_of(response) == (401, "invalid_token")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_scheme_is_written_in_any_case(scheme: str, person: Person, anonymous: httpx.Client):
    response = anonymous.get(ME, headers={"Authorization": f"{scheme} {person.access_token}"})

    assert response.status_code == 200


def test_a_renewed_token_belongs_to_the_same_account_and_is_not_fresh(person: Person):
    response = person.client.post(f"{API}/auth/refresh", headers=bearer(person.refresh_token))

    assert response.status_code == 200
    assert response.json().keys() == {"access_token"}
    renewed = response.json()["access_token"]
    assert jwt.decode(renewed, options={"verify_signature": False})["fresh"] is False
    assert person.client.get(ME, headers=bearer(renewed)).json()["id"] == person.id


def test_a_refresh_token_is_not_used_up(person: Person):
    person.client.post(f"{API}/auth/refresh", headers=bearer(person.refresh_token))

    response = person.client.post(f"{API}/auth/refresh", headers=bearer(person.refresh_token))

    assert response.status_code == 200


def test_logging_out_revokes_the_access_token_alone(person: Person):
    renewed = person.client.post(f"{API}/auth/refresh", headers=bearer(person.refresh_token)).json()["access_token"]

    response = person.client.post(f"{API}/auth/logout")

    assert response.json() == {"message": "Access token revoked. User logged out."}
    assert person.client.get(ME).status_code == 401
    assert person.client.get(ME, headers=bearer(renewed)).status_code == 200


def test_logging_out_the_refresh_token_leaves_the_access_token(person: Person):
    response = person.client.post(f"{API}/auth/logout-refresh", headers=bearer(person.refresh_token))

    assert response.json() == {"message": "Refresh token revoked."}
    assert person.client.post(f"{API}/auth/refresh", headers=bearer(person.refresh_token)).status_code == 401
    assert person.client.get(ME).status_code == 200


@pytest.mark.parametrize("order", [("logout", "logout-refresh"), ("logout-refresh", "logout")])
def test_both_tokens_are_logged_out_one_after_the_other(order: tuple[str, str], person: Person):
    tokens = {"logout": person.access_token, "logout-refresh": person.refresh_token}

    statuses = [
        person.client.post(f"{API}/auth/{operation}", headers=bearer(tokens[operation])).status_code
        for operation in order
    ]

    assert statuses == [200, 200]


def test_one_token_logged_out_leaves_other_accounts_alone(person: Person, stranger: httpx.Client):
    person.client.post(f"{API}/auth/logout")

    response = stranger.get(ME)

    assert response.status_code == 200
