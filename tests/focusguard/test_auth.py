import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import httpx
import jwt
import pytest

from db.clock import now
from db.engine import transaction
from db.refresh_chain import SpentToken
from security.tokens import read_token
from tests.conftest import ORIGIN, PASSWORD, Person
from tests.focusguard.conftest import Clock, at_once, error_of

AUTH = "/api/auth"


def new_user() -> dict[str, str]:
    name = f"mira{uuid4().hex[:12]}"
    return {"username": name, "email": f"{name}@quintet.example", "password": "seven quiet lanterns"}


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def cookie(token: str, origin: str | None = ORIGIN) -> dict[str, str]:
    return {"Cookie": f"refresh_token={token}"} | ({"Origin": origin} if origin else {})


def refresh(client: httpx.Client, token: str) -> httpx.Response:
    return client.post(f"{AUTH}/refresh", json={"refresh_token": token})


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


@pytest.mark.parametrize(
    "wrong",
    [
        {"username": "ab"},
        {"username": "mira k"},
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


def test_a_refresh_token_gets_the_next_pair(anonymous: httpx.Client, person: Person):
    response = refresh(anonymous, person.refresh_token)

    assert response.status_code == 200
    pair = response.json()
    assert list(pair) == ["access_token", "refresh_token", "token_type", "expires_in"]
    assert pair["refresh_token"] != person.refresh_token
    assert pair["refresh_token"] in response.headers["set-cookie"]
    assert anonymous.get(f"{AUTH}/me", headers=bearer(pair["access_token"])).json()["id"] == person.uuid
    assert refresh(anonymous, pair["refresh_token"]).status_code == 200


def test_every_refresh_token_lives_for_seven_days(anonymous: httpx.Client, person: Person, clock: Clock):
    token = person.refresh_token
    for _ in range(3):
        clock.wait(days=6)
        token = refresh(anonymous, token).json()["refresh_token"]

    claims = jwt.decode(token, options={"verify_signature": False})

    assert claims["exp"] - claims["iat"] == timedelta(days=7).total_seconds()


@pytest.mark.parametrize("headers", [bearer, cookie], ids=["bearer", "cookie"])
def test_the_refresh_token_may_come_in_the_header_or_the_cookie(
    anonymous: httpx.Client, person: Person, headers: Callable[[str], dict[str, str]]
):
    response = anonymous.post(f"{AUTH}/refresh", headers=headers(person.refresh_token))

    assert response.status_code == 200


def test_the_body_comes_before_the_header_and_the_cookie(anonymous: httpx.Client, person: Person):
    headers = bearer("nonsense") | cookie("nonsense", "https://evil.example")

    response = anonymous.post(f"{AUTH}/refresh", json={"refresh_token": person.refresh_token}, headers=headers)

    assert response.status_code == 200


def test_an_access_token_in_the_header_leaves_the_cookie_its_chance(anonymous: httpx.Client, person: Person):
    headers = bearer(person.access_token) | cookie(person.refresh_token)

    response = anonymous.post(f"{AUTH}/refresh", headers=headers)

    assert response.status_code == 200


@pytest.mark.parametrize("origin", ["https://evil.example", "null", None])
def test_a_cookie_from_a_foreign_page_is_refused_and_not_spent(
    anonymous: httpx.Client, person: Person, clock: Clock, origin: str | None
):
    response = anonymous.post(f"{AUTH}/refresh", headers=cookie(person.refresh_token, origin))

    assert error_of(response) == (403, "ORIGIN_NOT_ALLOWED")
    clock.wait(seconds=11)
    assert refresh(anonymous, person.refresh_token).status_code == 200


def test_refreshing_without_a_token_is_refused(anonymous: httpx.Client):
    response = anonymous.post(f"{AUTH}/refresh")

    assert error_of(response) == (401, "TOKEN_MISSING")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="quintet"'


@pytest.mark.parametrize("token", ["nonsense", "a.b.c", "é"])
def test_what_is_no_token_is_refused(anonymous: httpx.Client, token: str):
    response = refresh(anonymous, token)

    assert error_of(response) == (401, "INVALID_TOKEN")


def test_an_access_token_refreshes_nothing(anonymous: httpx.Client, person: Person):
    response = refresh(anonymous, person.access_token)

    assert error_of(response) == (401, "WRONG_TOKEN_KIND")


def test_an_expired_refresh_token_is_refused(anonymous: httpx.Client, person: Person, clock: Clock):
    clock.wait(days=8)

    response = refresh(anonymous, person.refresh_token)

    assert error_of(response) == (401, "TOKEN_EXPIRED")


def test_a_token_spent_within_ten_seconds_gets_the_same_successor(
    anonymous: httpx.Client, person: Person, clock: Clock
):
    first = refresh(anonymous, person.refresh_token).json()
    second = refresh(anonymous, first["refresh_token"]).json()
    clock.wait(seconds=10)

    again = refresh(anonymous, person.refresh_token)

    assert again.json()["refresh_token"] == first["refresh_token"]
    assert refresh(anonymous, again.json()["refresh_token"]).json()["refresh_token"] == second["refresh_token"]


def test_a_token_spent_longer_ago_ends_the_login_in_every_contract(
    anonymous: httpx.Client, person: Person, clock: Clock
):
    pair = refresh(anonymous, person.refresh_token).json()
    clock.wait(seconds=10.1)

    response = refresh(anonymous, person.refresh_token)

    assert error_of(response) == (401, "TOKEN_REUSED")
    for access in (person.access_token, pair["access_token"]):
        assert anonymous.get("/api/sessions", headers=bearer(access)).status_code == 401
        assert anonymous.get("/api/v1/todo/todos", headers=bearer(access)).status_code == 401
    assert error_of(refresh(anonymous, pair["refresh_token"])) == (401, "TOKEN_REVOKED")


def test_a_spent_token_ends_the_login_at_the_other_doors_too(
    anonymous: httpx.Client, person: Person, clock: Clock, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("server.token_check.now", clock)
    pair = refresh(anonymous, person.refresh_token).json()
    clock.wait(seconds=11)

    response = anonymous.post("/api/v1/auth/refresh", headers=bearer(person.refresh_token))

    assert response.status_code == 401
    assert response.json()["code"] == "token_reused"
    assert error_of(refresh(anonymous, pair["refresh_token"])) == (401, "TOKEN_REVOKED")


def test_the_other_logins_of_the_account_go_on(anonymous: httpx.Client, person: Person, clock: Clock):
    other = anonymous.post(f"{AUTH}/login", json={"username": person.username, "password": PASSWORD}).json()
    refresh(anonymous, person.refresh_token)
    clock.wait(seconds=11)

    refresh(anonymous, person.refresh_token)

    assert refresh(anonymous, other["refresh_token"]).status_code == 200


def test_fifty_refreshes_at_once_get_one_successor(anonymous: httpx.Client, person: Person):
    responses = at_once(50, lambda: refresh(anonymous, person.refresh_token))

    assert {response.status_code for response in responses} == {200}
    assert len({response.json()["refresh_token"] for response in responses}) == 1


def test_a_refresh_token_of_another_door_is_refreshed_here(anonymous: httpx.Client, person: Person):
    credentials = {"email": person.email, "password": PASSWORD}
    tokens = anonymous.post("/api/v1/auth/login", json=credentials).json()

    response = refresh(anonymous, tokens["refresh_token"])

    assert response.status_code == 200


def test_spent_tokens_are_forgotten_once_they_count_for_nothing(anonymous: httpx.Client, person: Person, clock: Clock):
    token = person.refresh_token
    for _ in range(3):
        token = refresh(anonymous, token).json()["refresh_token"]
        clock.wait(seconds=11)

    with transaction() as session:
        login_id = read_token(token, at=now()).login_id
        kept = session.query(SpentToken).filter_by(login_id=login_id).count()

    assert kept == 1


def test_logging_out_ends_this_login_everywhere(anonymous: httpx.Client, person: Person):
    other = anonymous.post(f"{AUTH}/login", json={"username": person.username, "password": PASSWORD}).json()

    response = person.client.post(f"{AUTH}/logout")

    assert response.json() == {"message": "You are logged out."}
    assert response.headers["set-cookie"].startswith("refresh_token=; HttpOnly; Max-Age=0; Path=/api/auth")
    assert error_of(person.client.get(f"{AUTH}/me")) == (401, "TOKEN_REVOKED")
    assert person.client.get("/api/v1/auth/me").status_code == 401
    assert error_of(refresh(anonymous, person.refresh_token)) == (401, "TOKEN_REVOKED")
    assert anonymous.get(f"{AUTH}/me", headers=bearer(other["access_token"])).status_code == 200


def test_a_login_that_has_ended_rotates_no_more(anonymous: httpx.Client, person: Person):
    pair = refresh(anonymous, person.refresh_token).json()
    person.client.post(f"{AUTH}/logout")

    response = refresh(anonymous, pair["refresh_token"])

    assert error_of(response) == (401, "TOKEN_REVOKED")


def test_a_restart_between_two_refreshes_changes_nothing(serve: Callable[..., httpx.Client]):
    before = serve()
    login = before.post(f"{AUTH}/register", json=new_user()).json()
    pair = refresh(before, login["refresh_token"]).json()

    after = serve()

    assert refresh(after, login["refresh_token"]).json()["refresh_token"] == pair["refresh_token"]
    assert refresh(after, pair["refresh_token"]).status_code == 200


def test_reuse_is_seen_after_a_restart_too(serve: Callable[..., httpx.Client], tmp_path: Path):
    before = serve()
    login = before.post(f"{AUTH}/register", json=new_user()).json()
    pair = refresh(before, login["refresh_token"]).json()
    with closing(sqlite3.connect(tmp_path / "quintet.db")) as database, database:
        database.execute("UPDATE spent_tokens SET spent_at = datetime(spent_at, '-11 seconds')")

    after = serve()

    assert error_of(refresh(after, login["refresh_token"])) == (401, "TOKEN_REUSED")
    assert error_of(refresh(after, pair["refresh_token"])) == (401, "TOKEN_REVOKED")
