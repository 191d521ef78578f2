"""Refresh tokens: rotated at each use, and the end of their login when a spent one comes back."""

import sqlite3
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import httpx
import jwt
import pytest

from db.accounts.refresh_chain import SpentToken
from db.sql.engine import transaction
from security.tokens import read_token
from tests.conftest import ORIGIN, PASSWORD, Person
from tests.focusguard.conftest import Clock, error_of
from tests.focusguard.test_auth import new_user
from tests.operations import bearer

AUTH = "/api/auth"


def cookie(token: str, origin: str | None = ORIGIN) -> dict[str, str]:
    return {"Cookie": f"refresh_token={token}"} | ({} if origin is None else {"Origin": origin})


def refresh(client: httpx.Client, token: str) -> httpx.Response:
    return client.post(f"{AUTH}/refresh", json={"refresh_token": token})


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


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "", "*", f"{ORIGIN}, {ORIGIN}", f"{ORIGIN}/"])
def test_a_cookie_from_a_foreign_page_is_refused_and_not_spent(
    anonymous: httpx.Client, person: Person, clock: Clock, origin: str
):
    response = anonymous.post(f"{AUTH}/refresh", headers=cookie(person.refresh_token, origin))

    assert error_of(response) == (403, "ORIGIN_NOT_ALLOWED")
    clock.wait(seconds=11)
    assert refresh(anonymous, person.refresh_token).status_code == 200


def test_a_cookie_from_no_page_at_all_counts(anonymous: httpx.Client, person: Person):
    response = anonymous.post(f"{AUTH}/refresh", headers=cookie(person.refresh_token, None))

    assert response.status_code == 200


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


def test_a_spent_token_ends_the_login_at_the_other_doors_too(anonymous: httpx.Client, person: Person, clock: Clock):
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
        login_id = read_token(token, at=clock.at).login_id
        kept = session.query(SpentToken).filter_by(login_id=login_id).count()

    assert kept == 1


def test_a_login_that_has_ended_rotates_no_more(anonymous: httpx.Client, person: Person):
    pair = refresh(anonymous, person.refresh_token).json()
    person.client.post(f"{AUTH}/logout")

    response = refresh(anonymous, pair["refresh_token"])

    assert error_of(response) == (401, "TOKEN_REVOKED")


def test_a_process_that_spent_none_of_them_knows_the_spent_tokens(serve: Callable[..., httpx.Client], tmp_path: Path):
    # Both are started first: on a busy machine a start takes longer than a spent token counts.
    before, after = serve(), serve()
    login, other = (before.post(f"{AUTH}/register", json=new_user()).json()["refresh_token"] for _ in range(2))
    successor, others = (refresh(before, one).json()["refresh_token"] for one in (login, other))

    again = refresh(after, login).json()["refresh_token"]
    renewed = refresh(after, others)
    with closing(sqlite3.connect(tmp_path / "quintet.db")) as database, database:
        database.execute("UPDATE spent_tokens SET spent_at = datetime(spent_at, '-11 seconds')")
    reused = refresh(after, login)

    assert (again, renewed.status_code) == (successor, 200)
    assert error_of(reused) == (401, "TOKEN_REUSED")
    assert error_of(refresh(after, successor)) == (401, "TOKEN_REVOKED")
