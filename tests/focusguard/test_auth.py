"""Registering, logging in and logging out."""

from uuid import uuid4

import httpx
import pytest

from tests.conftest import PASSWORD, Person, once
from tests.focusguard.conftest import error_of
from tests.operations import bearer

AUTH = "/api/auth"


def new_user() -> dict[str, str]:
    name = f"mira{uuid4().hex[:12]}"
    return {"username": name, "email": f"{name}@quintet.example", "password": "seven quiet lanterns"}


def test_registering_logs_in(anonymous: httpx.Client):
    user = new_user()

    response = anonymous.post(f"{AUTH}/register", json=user)

    assert response.status_code == 201
    body = response.json()
    assert list(body) == ["access_token", "refresh_token", "token_type", "expires_in", "user"]
    assert (body["token_type"], body["expires_in"]) == ("bearer", 900)
    assert body["user"]["username"] == user["username"]
    assert anonymous.get(f"{AUTH}/me", headers=bearer(body["access_token"])).json() == body["user"]


def test_the_refresh_token_is_set_as_a_cookie_that_scripts_cannot_read(anonymous: httpx.Client):
    response = anonymous.post(f"{AUTH}/register", json=new_user())

    token = response.json()["refresh_token"]
    assert response.headers["set-cookie"] == (
        f"refresh_token={token}; HttpOnly; Max-Age=604800; Path=/api/auth; SameSite=Strict; Secure"
    )


@pytest.mark.parametrize(("member", "code"), [("username", "USERNAME_TAKEN"), ("email", "EMAIL_TAKEN")])
def test_a_name_that_is_taken_in_other_letters_is_a_conflict(anonymous: httpx.Client, member: str, code: str):
    user = new_user()
    anonymous.post(f"{AUTH}/register", json=user)

    response = anonymous.post(f"{AUTH}/register", json=new_user() | {member: user[member].upper()})

    assert error_of(response) == (409, code)


@once
@pytest.mark.parametrize(
    "wrong",
    [
        {"username": ""},
        {"username": "mira  k"},
        {"username": "mira@k"},
        {"email": "nobody"},
        {"password": "short"},
        {"password": "password123"},
        {"password": None},
    ],
)
def test_an_account_that_breaks_the_schema_is_refused(anonymous: httpx.Client, wrong: dict[str, object]):
    response = anonymous.post(f"{AUTH}/register", json=new_user() | wrong)

    assert error_of(response) == (422, "BAD_INPUT")


@once
def test_json_that_cannot_be_parsed_is_a_bad_request(anonymous: httpx.Client):
    headers = {"Content-Type": "application/json"}

    response = anonymous.post(f"{AUTH}/register", content='{"username": ', headers=headers)

    assert error_of(response) == (400, "MALFORMED_JSON")


@pytest.mark.parametrize("name", ["username", "email"])
def test_logging_in_takes_the_username_or_the_email(anonymous: httpx.Client, person: Person, name: str):
    response = anonymous.post(f"{AUTH}/login", json={"username": getattr(person, name), "password": PASSWORD})

    assert response.status_code == 200
    assert response.json()["user"]["id"] == person.uuid
    assert response.json()["refresh_token"] in response.headers["set-cookie"]


@pytest.mark.parametrize("name", ["nobody-has-this-name", None])
def test_an_unknown_name_and_a_wrong_password_are_refused_alike(
    anonymous: httpx.Client, person: Person, name: str | None
):
    response = anonymous.post(f"{AUTH}/login", json={"username": name or person.username, "password": "not this one"})

    assert error_of(response) == (401, "INVALID_CREDENTIALS")


def test_the_sixth_attempt_in_a_quarter_of_an_hour_has_to_wait(anonymous: httpx.Client, person: Person):
    wrong = {"username": person.username, "password": "not this one"}
    for _ in range(5):
        anonymous.post(f"{AUTH}/login", json=wrong)

    response = anonymous.post(f"{AUTH}/login", json=wrong)

    assert error_of(response) == (429, "TOO_MANY_ATTEMPTS")
    assert 0 < int(response.headers["Retry-After"]) <= 900


def test_logging_out_ends_this_login_everywhere(anonymous: httpx.Client, person: Person):
    other = anonymous.post(f"{AUTH}/login", json={"username": person.username, "password": PASSWORD}).json()

    response = person.client.post(f"{AUTH}/logout")

    assert response.json() == {"message": "You are logged out."}
    assert response.headers["set-cookie"].startswith("refresh_token=; HttpOnly; Max-Age=0; Path=/api/auth")
    assert error_of(person.client.get(f"{AUTH}/me")) == (401, "TOKEN_REVOKED")
    assert person.client.get("/api/v1/auth/me").status_code == 401
    refused = anonymous.post(f"{AUTH}/refresh", json={"refresh_token": person.refresh_token})
    assert error_of(refused) == (401, "TOKEN_REVOKED")
    assert anonymous.get(f"{AUTH}/me", headers=bearer(other["access_token"])).status_code == 200
