"""Access tokens and refresh tokens: renewing the one by the other, and revoking each by itself."""

import httpx
import jwt
import pytest

from tests.conftest import Person, once
from tests.operations import bearer, code_of
from tests.workspace import API

ME = f"{API}/auth/me"


@once
@pytest.mark.parametrize("token", ["x", "a.b.c", "{token}x", "x{token}", "{token} {token}", "{token}\xff"])
def test_a_malformed_token_does_not_count(token: str, person: Person, anonymous: httpx.Client):
    header = f"Bearer {token.format(token=person.access_token)}".encode("latin-1")

    response = anonymous.get(ME, headers={b"Authorization": header})

    assert code_of(response) == (401, "invalid_token")


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
