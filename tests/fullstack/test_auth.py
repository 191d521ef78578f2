from datetime import timedelta

import httpx
import pytest

import clock
from db.accounts.accounts import Account
from db.accounts.logins import Login, end_logins, revoke_token
from db.sql.engine import transaction
from security.passwords import password_matches
from security.tokens import read_token, refresh_token
from tests.conftest import PASSWORD, Person, once

REGISTER, LOGIN, REFRESH = "/v1/auth/register", "/v1/auth/login", "/v1/auth/refresh"


def new_user(name: str, **changes: str) -> dict[str, str]:
    return {"username": name, "email": f"{name}@quintet.example", "password": "securePassword123", **changes}


def test_an_account_is_registered_and_can_log_in_by_username_and_email(anonymous: httpx.Client):
    registered = anonymous.post(REGISTER, json=new_user("Ada.Lovelace", email=" Ada@Quintet.example "))
    logins = [
        anonymous.post(LOGIN, json={"username": name, "password": "securePassword123"})
        for name in ("ADA.lovelace", "ada@QUINTET.example")
    ]

    assert registered.status_code == 201
    assert registered.json()["username"] == "Ada.Lovelace"
    assert registered.json()["email"] == "Ada@Quintet.example"
    assert [login.status_code for login in logins] == [200, 200]
    me = anonymous.get("/v1/users/me", headers={"Authorization": f"Bearer {logins[0].json()['access_token']}"}).json()
    assert (me["id"], me["is_active"], me["preferences"]) == (registered.json()["id"], True, {"theme": "light"})


def test_an_account_that_registers_here_is_known_at_other_doors(anonymous: httpx.Client):
    anonymous.post(REGISTER, json=new_user("grace.hopper"))

    response = anonymous.post(
        "/api/v1/auth/login", json={"email": "grace.hopper@quintet.example", "password": "securePassword123"}
    )

    assert response.status_code == 200


def test_a_password_is_kept_as_a_hash(anonymous: httpx.Client):
    response = anonymous.post(REGISTER, json=new_user("hashed"))

    with transaction() as session:
        account = session.query(Account).where(Account.username == "hashed").one()
    assert "securePassword123" not in response.text
    assert password_matches("securePassword123", account.password_hash)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"username": "{username}"}, "USERNAME_TAKEN"),
        ({"username": "{USERNAME}"}, "USERNAME_TAKEN"),
        ({"email": "{email}"}, "EMAIL_TAKEN"),
        ({"email": " {EMAIL} "}, "EMAIL_TAKEN"),
    ],
)
def test_a_taken_name_is_400(person: Person, anonymous: httpx.Client, changes: dict[str, str], code: str):
    names = {"username": person.username, "email": person.email}
    names |= {name.upper(): value.upper() for name, value in names.items()}
    taken = {member: text.format(**names) for member, text in changes.items()}

    response = anonymous.post(REGISTER, json=new_user("somebody.new", **taken))

    assert (response.status_code, response.json()["error_code"]) == (400, code)


@once
@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("username", ""),
        ("username", "x" * 65),
        ("username", "two  spaces"),
        ("username", "at@sign"),
        ("username", "NUL\0"),
        ("username", "line\n"),
        ("username", None),
        ("email", "nowhere"),
        ("email", f"{'x' * 250}@a.bc"),
        ("email", 7),
        ("password", "short12"),
        ("password", "ü" * 513),
        ("password", "NUL\0 within"),
        ("password", "password"),
        ("password", "Password1"),
        ("password", "12345678"),
        ("password", "QwertyUiop"),
    ],
)
def test_a_user_that_breaks_the_schema_is_422_and_not_made(anonymous: httpx.Client, member: str, value: object):
    response = anonymous.post(REGISTER, json={**new_user("refused"), member: value})

    assert (response.status_code, response.json()["error_code"]) == (422, "BAD_INPUT")
    assert member in response.json()["detail"]
    with transaction() as session:
        assert session.query(Account).where(Account.username == "refused").count() == 0


@once
@pytest.mark.parametrize("member", ["username", "email", "password"])
def test_every_member_of_a_new_user_is_needed(anonymous: httpx.Client, member: str):
    body = new_user("incomplete")
    del body[member]

    response = anonymous.post(REGISTER, json=body)

    assert response.status_code == 422
    assert f"{member} is required" in response.json()["detail"]


def test_an_unknown_name_and_a_wrong_password_get_the_same_answer(person: Person, anonymous: httpx.Client):
    responses = [
        anonymous.post(LOGIN, json={"username": name, "password": "not the password"})
        for name in (person.username, person.email, "nobody.at.all", "nobody@quintet.example", "no one ' -- %")
    ]

    assert {response.status_code for response in responses} == {401}
    assert len({(response.json()["detail"], response.json()["error_code"]) for response in responses}) == 1
    assert responses[0].headers["www-authenticate"] == 'Bearer realm="quintet"'


@once
@pytest.mark.parametrize(
    "body",
    [{}, {"username": "x"}, {"password": "x"}, {"username": "", "password": "x"}, {"username": "x", "password": 7}],
)
def test_a_login_without_name_or_password_is_422(anonymous: httpx.Client, body: dict[str, object]):
    response = anonymous.post(LOGIN, json=body)

    assert (response.status_code, response.json()["error_code"]) == (422, "BAD_INPUT")


def test_the_sixth_attempt_is_429_however_the_name_is_written(person: Person, anonymous: httpx.Client):
    for attempt in range(5):
        name = (person.username, person.username.upper())[attempt % 2]
        anonymous.post(LOGIN, json={"username": name, "password": "wrong"})

    response = anonymous.post(LOGIN, json={"username": person.username, "password": PASSWORD})

    assert (response.status_code, response.json()["error_code"]) == (429, "TOO_MANY_ATTEMPTS")
    assert 0 < int(response.headers["retry-after"]) <= 900


def test_a_refreshed_access_token_works_and_is_not_fresh(person: Person, anonymous: httpx.Client):
    response = anonymous.post(REFRESH, json={"refresh_token": person.refresh_token})

    token = response.json()["access_token"]
    assert anonymous.get("/v1/tasks", headers={"Authorization": f"Bearer {token}"}).status_code == 200
    assert not read_token(token, at=clock.now()).fresh


def test_a_refresh_token_is_not_used_up(person: Person, anonymous: httpx.Client):
    responses = [anonymous.post(REFRESH, json={"refresh_token": person.refresh_token}) for _ in range(3)]

    assert [response.status_code for response in responses] == [200, 200, 200]


@once
@pytest.mark.parametrize("token", ["", "x", "a.b.c", "ü", "x" * 16_000], ids=["empty", "x", "dots", "letter", "long"])
def test_what_is_no_refresh_token_is_401(anonymous: httpx.Client, token: str):
    response = anonymous.post(REFRESH, json={"refresh_token": token})

    assert (response.status_code, response.json()["error_code"]) == (401, "INVALID_TOKEN")


@once
def test_an_access_token_does_not_refresh(person: Person, anonymous: httpx.Client):
    response = anonymous.post(REFRESH, json={"refresh_token": person.access_token})

    assert (response.status_code, response.json()["error_code"]) == (401, "WRONG_TOKEN_KIND")
    assert "www-authenticate" in response.headers


def test_a_refresh_token_that_has_expired_is_401(person: Person, anonymous: httpx.Client):
    with transaction() as session:
        login = session.get_one(Login, read_token(person.refresh_token, at=clock.now()).login_id)
        login.expires_at = clock.now() - timedelta(days=1)
        expired = refresh_token(session.get_one(Account, person.id), login, at=clock.now() - timedelta(days=8))

    response = anonymous.post(REFRESH, json={"refresh_token": expired})

    assert (response.status_code, response.json()["error_code"]) == (401, "TOKEN_EXPIRED")


def test_a_revoked_refresh_token_is_401(person: Person, anonymous: httpx.Client):
    token = read_token(person.refresh_token, at=clock.now())
    with transaction() as session:
        revoke_token(session, jti=token.jti, expires_at=token.expires_at, at=clock.now())

    response = anonymous.post(REFRESH, json={"refresh_token": person.refresh_token})

    assert (response.status_code, response.json()["error_code"]) == (401, "TOKEN_REVOKED")


def test_the_tokens_of_a_login_that_has_ended_are_401(person: Person, anonymous: httpx.Client, new_person):
    other = read_token(new_person().access_token, at=clock.now()).login_id
    with transaction() as session:
        end_logins(session, account_id=person.id, kept=other, at=clock.now())

    refreshed = anonymous.post(REFRESH, json={"refresh_token": person.refresh_token})
    used = person.client.get("/v1/users/me")

    assert (refreshed.status_code, used.status_code) == (401, 401)


def test_the_tokens_of_a_deleted_account_are_401(person: Person, anonymous: httpx.Client):
    person.close_account()

    refreshed = anonymous.post(REFRESH, json={"refresh_token": person.refresh_token})
    used = person.client.get("/v1/users/me")

    assert (refreshed.status_code, refreshed.json()["error_code"]) == (401, "ACCOUNT_NOT_FOUND")
    assert (used.status_code, used.json()["error_code"]) == (401, "ACCOUNT_NOT_FOUND")


@once
@pytest.mark.parametrize("body", [{}, {"refresh_token": None}, {"refresh_token": 7}, {"token": "x"}])
def test_a_missing_refresh_token_is_422(anonymous: httpx.Client, body: dict[str, object]):
    response = anonymous.post(REFRESH, json=body)

    assert (response.status_code, response.json()["error_code"]) == (422, "BAD_INPUT")


@once
def test_a_refresh_token_in_the_header_alone_is_422(person: Person, anonymous: httpx.Client):
    response = anonymous.post(REFRESH, json={}, headers={"Authorization": f"Bearer {person.refresh_token}"})

    assert response.status_code == 422
