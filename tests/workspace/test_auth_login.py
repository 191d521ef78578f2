"""Logging in, and how often one may try."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import jwt
import pytest

import clock
from tests.conftest import HANGS_AFTER, PASSWORD, Person, numbers
from tests.operations import bearer, code_of
from tests.workspace import API

LOGIN = f"{API}/auth/login"
WRONG = "Wrong-Lantern-42"
WINDOW = timedelta(minutes=15)


def attempt(client: httpx.Client, email: str, password: str = WRONG) -> httpx.Response:
    return client.post(LOGIN, json={"email": email, "password": password})


def use_up(client: httpx.Client, email: str, count: int = 5) -> None:
    for _ in range(count):
        assert attempt(client, email).status_code == 401


def let_pass(monkeypatch: pytest.MonkeyPatch, time: timedelta) -> None:
    later = clock.now() + time
    monkeypatch.setattr(clock, "now", lambda: later)


def nobody() -> str:
    return f"nobody{next(numbers)}@quintet.example"


def test_a_login_gives_two_tokens(person: Person, anonymous: httpx.Client):
    response = attempt(anonymous, person.email, PASSWORD)

    assert response.status_code == 200
    tokens = response.json()
    assert tokens.keys() == {"access_token", "refresh_token"}
    me = anonymous.get(f"{API}/auth/me", headers=bearer(tokens["access_token"]))
    renewal = anonymous.post(f"{API}/auth/refresh", headers=bearer(tokens["refresh_token"]))
    assert (me.json()["id"], renewal.status_code) == (person.id, 200)


def test_tokens_live_a_quarter_of_an_hour_and_a_week(person: Person, anonymous: httpx.Client):
    tokens = attempt(anonymous, person.email, PASSWORD).json()

    claims = [jwt.decode(token, options={"verify_signature": False}) for token in tokens.values()]

    access, refresh = claims
    assert (access["type"], access["fresh"], access["exp"] - access["iat"]) == ("access", True, 15 * 60)
    assert (refresh["type"], refresh["fresh"], refresh["exp"] - refresh["iat"]) == ("refresh", False, 7 * 24 * 3600)
    assert access["sub"] == refresh["sub"] == person.uuid
    assert access["jti"] != refresh["jti"]


def test_the_token_of_a_login_may_change_the_password(person: Person, anonymous: httpx.Client):
    tokens = attempt(anonymous, person.email, PASSWORD).json()

    response = anonymous.post(
        f"{API}/auth/change-password",
        json={"new_password": "Quiet-Orchard-7"},
        headers=bearer(tokens["access_token"]),
    )

    assert response.status_code == 200


@pytest.mark.parametrize("written", [str.upper, str.title, " {} ".format, "\t{}\n".format])
def test_an_email_logs_in_however_it_is_written(person: Person, anonymous: httpx.Client, written: Callable[[str], str]):
    response = attempt(anonymous, written(person.email), PASSWORD)

    assert response.status_code == 200


def test_a_username_is_no_email(person: Person, anonymous: httpx.Client):
    response = attempt(anonymous, person.username, PASSWORD)

    assert code_of(response) == (401, "invalid_credentials")


def test_an_unknown_email_and_a_wrong_password_are_told_alike(person: Person, anonymous: httpx.Client):
    known, unknown = attempt(anonymous, person.email), attempt(anonymous, nobody())

    assert code_of(known) == (401, "invalid_credentials")
    assert known.content == unknown.content
    own = {"date", "x-request-id"}
    first, second = [
        {name: value for name, value in one.headers.items() if name not in own} for one in (known, unknown)
    ]
    assert first == second
    assert first["www-authenticate"] == 'Bearer realm="quintet"'


def test_an_unknown_email_costs_as_much_time_as_a_wrong_password(
    person: Person, anonymous: httpx.Client, monkeypatch: pytest.MonkeyPatch
):
    checked: list[str] = []
    monkeypatch.setattr("bcrypt.checkpw", lambda _, password_hash: checked.append(password_hash[:7].decode()))

    attempt(anonymous, person.email)
    attempt(anonymous, nobody())

    assert checked == ["$2b$04$", "$2b$04$"]


def test_the_sixth_attempt_in_a_quarter_of_an_hour_is_one_too_many(person: Person, anonymous: httpx.Client):
    use_up(anonymous, person.email)

    response = attempt(anonymous, person.email)

    assert code_of(response) == (429, "too_many_attempts")
    wait = int(response.headers["Retry-After"])
    assert WINDOW.total_seconds() - 60 < wait <= WINDOW.total_seconds()
    assert response.headers["RateLimit-Policy"] == '"login";q=5;w=900'
    assert response.headers["RateLimit"] == f'"login";r=0;t={wait}'


def test_with_too_many_attempts_the_right_password_is_of_no_use(person: Person, anonymous: httpx.Client):
    use_up(anonymous, person.email)

    response = attempt(anonymous, person.email, PASSWORD)

    assert response.status_code == 429


def test_an_email_that_is_nobodys_has_as_many_attempts(anonymous: httpx.Client):
    email = nobody()
    use_up(anonymous, email)

    response = attempt(anonymous, f" {email.upper()} ")

    assert response.status_code == 429


def test_one_account_has_one_budget_however_its_email_is_written(person: Person, anonymous: httpx.Client):
    for written in (person.email, person.email.upper(), f" {person.email}", person.email.title(), f"{person.email} "):
        attempt(anonymous, written)

    response = attempt(anonymous, person.email)

    assert response.status_code == 429


def test_a_success_ends_the_count(person: Person, anonymous: httpx.Client):
    use_up(anonymous, person.email, 4)
    successes = [attempt(anonymous, person.email, PASSWORD).status_code for _ in range(6)]

    statuses = [attempt(anonymous, person.email).status_code for _ in range(6)]

    assert successes == [200] * 6
    assert statuses == [401] * 5 + [429]


def test_input_that_is_refused_is_no_attempt(person: Person, anonymous: httpx.Client):
    for _ in range(6):
        anonymous.post(LOGIN, json={"email": person.email})

    response = attempt(anonymous, person.email, PASSWORD)

    assert response.status_code == 200


@pytest.mark.parametrize(("passed", "status"), [(WINDOW - timedelta(seconds=30), 429), (WINDOW, 401)])
def test_after_a_quarter_of_an_hour_one_may_try_again(
    person: Person, anonymous: httpx.Client, monkeypatch: pytest.MonkeyPatch, passed: timedelta, status: int
):
    use_up(anonymous, person.email)
    let_pass(monkeypatch, passed)

    response = attempt(anonymous, person.email)

    assert response.status_code == status


def test_attempts_become_free_one_by_one(person: Person, anonymous: httpx.Client, monkeypatch: pytest.MonkeyPatch):
    with monkeypatch.context() as patch:
        let_pass(patch, -timedelta(minutes=10))
        use_up(anonymous, person.email, 2)
    use_up(anonymous, person.email, 3)

    wait = int(attempt(anonymous, person.email).headers["Retry-After"])
    let_pass(monkeypatch, timedelta(seconds=wait))
    statuses = [attempt(anonymous, person.email).status_code for _ in range(3)]

    assert 4 * 60 < wait <= 5 * 60
    assert statuses == [401, 401, 429]


def test_nobody_waits_longer_than_the_window_for_a_clock_that_is_ahead(
    person: Person, anonymous: httpx.Client, monkeypatch: pytest.MonkeyPatch
):
    use_up(anonymous, person.email)
    let_pass(monkeypatch, -timedelta(minutes=1))

    response = attempt(anonymous, person.email)

    assert (response.status_code, response.headers["Retry-After"]) == (429, "900")


def test_another_account_has_attempts_of_its_own(person: Person, new_person: Callable[..., Person]):
    use_up(person.client, person.email)

    response = attempt(person.client, new_person().email, PASSWORD)

    assert response.status_code == 200


def test_another_address_has_attempts_of_its_own(person: Person, base_url: str):
    use_up(person.client, person.email)

    transport = httpx.HTTPTransport(local_address="127.0.0.2")
    with httpx.Client(base_url=base_url, transport=transport, timeout=HANGS_AFTER) as elsewhere:
        response = attempt(elsewhere, person.email, PASSWORD)

    assert response.status_code == 200


def test_an_address_cannot_be_made_up(person: Person, anonymous: httpx.Client):
    use_up(anonymous, person.email)

    response = anonymous.post(
        LOGIN,
        json={"email": person.email, "password": PASSWORD},
        headers={"X-Forwarded-For": "203.0.113.7", "Forwarded": "for=203.0.113.7", "X-Real-IP": "203.0.113.7"},
    )

    assert response.status_code == 429


def test_too_many_attempts_leave_those_alone_who_are_logged_in(person: Person, anonymous: httpx.Client):
    use_up(anonymous, person.email)

    response = person.client.get(f"{API}/auth/me")

    assert response.status_code == 200


def test_a_deleted_account_does_not_log_in(person: Person, anonymous: httpx.Client):
    person.close_account()

    response = attempt(anonymous, person.email, PASSWORD)

    assert code_of(response) == (401, "invalid_credentials")
