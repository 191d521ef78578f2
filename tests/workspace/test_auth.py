from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from db.accounts.accounts import Account
from db.sql.engine import autocommit
from tests.conftest import PASSWORD, Person, numbers, once
from tests.operations import bearer, code_of
from tests.workspace import API

REGISTER = f"{API}/auth/register"
LONGEST_EMAIL = f"{'m' * 64}@{'x' * 63}.{'y' * 63}.{'z' * 53}.example"


def newcomer(**members: object) -> dict[str, Any]:
    """Make the body of a registration; nobody else has its name."""
    name = f"newcomer{next(numbers)}"
    return {"username": name, "email": f"{name}@quintet.example", "password": PASSWORD, **members}


def accounts() -> int | None:
    with autocommit() as connection:
        return connection.scalar(select(func.count()).select_from(Account))


def log_in(client: httpx.Client, email: str, password: str = PASSWORD) -> dict[str, str]:
    return client.post(f"{API}/auth/login", json={"email": email, "password": password}).json()


def test_a_registration_shows_the_account_and_never_its_password(anonymous: httpx.Client):
    somebody = newcomer()

    response = anonymous.post(REGISTER, json=somebody)

    assert response.status_code == 201
    user = response.json()["user"]
    assert response.json() == {
        "message": "User registered successfully",
        "user": {
            "id": user["id"],
            "username": somebody["username"],
            "email": somebody["email"],
            "created_at": user["created_at"],
        },
    }
    assert PASSWORD not in response.text


def test_who_is_registered_can_log_in_and_finds_an_empty_profile(anonymous: httpx.Client):
    somebody = newcomer()
    user = anonymous.post(REGISTER, json=somebody).json()["user"]

    tokens = log_in(anonymous, somebody["email"])

    profile = anonymous.get(f"{API}/anchor/profile", headers=bearer(tokens["access_token"])).json()
    assert profile == {
        "user_id": user["id"],
        "professional_title": None,
        "one_liner_bio": None,
        "created_at": user["created_at"],
        "updated_at": user["created_at"],
    }


def test_an_account_reads_itself(person: Person):
    response = person.client.get(f"{API}/auth/me")

    assert response.status_code == 200
    user = response.json()
    assert user == {
        "id": person.id,
        "username": person.username,
        "email": person.email,
        "created_at": user["created_at"],
        "updated_at": user["updated_at"],
    }


@pytest.mark.parametrize("member", ["username", "email"])
@pytest.mark.parametrize("change_case", [str, str.upper, str.title])
def test_a_name_is_given_once_regardless_of_case(anonymous: httpx.Client, member: str, change_case: Any):
    somebody = newcomer()
    anonymous.post(REGISTER, json=somebody)
    before = accounts()

    response = anonymous.post(REGISTER, json=newcomer(**{member: change_case(somebody[member])}))

    assert code_of(response) == (409, f"{member}_taken")
    assert accounts() == before


def test_an_email_is_given_once_however_it_is_padded(anonymous: httpx.Client):
    somebody = newcomer()
    anonymous.post(REGISTER, json=somebody)

    response = anonymous.post(REGISTER, json=newcomer(email=f"  {somebody['email']} "))

    assert code_of(response) == (409, "email_taken")


def test_letters_that_are_one_without_case_make_one_name(anonymous: httpx.Client):
    somebody = newcomer()
    anonymous.post(REGISTER, json={**somebody, "username": f"{somebody['username']}-straße"})

    response = anonymous.post(REGISTER, json=newcomer(username=f"{somebody['username']}-STRASSE"))

    assert code_of(response) == (409, "username_taken")


def test_the_words_of_an_email_do_not_decide_what_is_taken(anonymous: httpx.Client):
    somebody = newcomer()
    somebody["email"] = f"username_key.{somebody['email']}"
    anonymous.post(REGISTER, json=somebody)

    response = anonymous.post(REGISTER, json=newcomer(email=somebody["email"]))

    assert code_of(response) == (409, "email_taken")


@pytest.mark.parametrize("member", ["username", "email"])
def test_of_two_who_want_one_name_at_once_exactly_one_gets_it(anonymous: httpx.Client, member: str):
    wanted = newcomer()[member]
    both_ready = Barrier(2)

    def register(case: Any) -> httpx.Response:
        body = newcomer(**{member: case(wanted)})
        both_ready.wait()
        return anonymous.post(REGISTER, json=body)

    with ThreadPoolExecutor(2) as pool:
        responses = list(pool.map(register, [str.lower, str.upper]))

    assert sorted(map(code_of, responses), key=str) == [(201, None), (409, f"{member}_taken")]


def test_an_email_is_trimmed(anonymous: httpx.Client):
    somebody = newcomer()

    response = anonymous.post(REGISTER, json={**somebody, "email": f" \t{somebody['email']} \n"})

    assert response.json()["user"]["email"] == somebody["email"]


def test_an_email_has_at_most_254_characters(anonymous: httpx.Client):
    too_long = anonymous.post(REGISTER, json=newcomer(email=f"{LONGEST_EMAIL}s"))
    longest = anonymous.post(REGISTER, json=newcomer(email=LONGEST_EMAIL))

    assert len(LONGEST_EMAIL) == 254
    assert too_long.json()["errors"] == [{"field": "email", "message": "must have at most 254 characters"}]
    assert longest.json()["user"]["email"] == LONGEST_EMAIL


@pytest.mark.parametrize("username", ["ж", "x" * 64, "a.dotted-name", "50%_\\'\"--", "Ångström", "小 明"])
def test_a_username_has_1_to_64_characters_of_any_script(anonymous: httpx.Client, username: str):
    response = anonymous.post(REGISTER, json=newcomer(username=username))

    assert response.status_code == 201
    assert response.json()["user"]["username"] == username


WEAK = {
    "Short-1": "must have at least 8 characters",
    "harbor-lantern-42": "must hold an uppercase letter, a digit and a symbol",
    "Harbor-Lantern": "must hold an uppercase letter, a digit and a symbol",
    "HarborLantern42": "must hold an uppercase letter, a digit and a symbol",
    "Harbor Lantern 42": "must hold an uppercase letter, a digit and a symbol",
    "Passworté1": "must hold an uppercase letter, a digit and a symbol",
    "Aa1-" + "é" * 511: "must have at most 1024 bytes",
}
STRONG = ["Harbor-1", "A1!" + "x" * 1021, "Aa1-" + "é" * 510, "Ömlautes1!", "ÄÖÜ-Z1üä", "A1 \t\r\n - 🌱"]


@once
@pytest.mark.parametrize("password", WEAK)
def test_a_weak_password_is_refused_at_registration(anonymous: httpx.Client, password: str):
    response = anonymous.post(REGISTER, json=newcomer(password=password))

    assert response.status_code == 400
    assert {"field": "password", "message": WEAK[password]} in response.json()["errors"]


@pytest.mark.parametrize("password", STRONG)
def test_who_registers_with_a_strong_password_logs_in_with_it(anonymous: httpx.Client, password: str):
    somebody = newcomer(password=password)
    anonymous.post(REGISTER, json=somebody)

    tokens = log_in(anonymous, somebody["email"], password)

    assert tokens.keys() == {"access_token", "refresh_token"}


@once
@pytest.mark.parametrize("password", WEAK)
def test_a_weak_password_is_refused_in_a_change(person: Person, password: str):
    response = person.client.post(f"{API}/auth/change-password", json={"new_password": password})

    assert response.status_code == 400
    assert {"field": "new_password", "message": WEAK[password]} in response.json()["errors"]
    assert "access_token" in log_in(person.client, person.email)


@pytest.mark.parametrize("password", STRONG)
def test_a_changed_password_takes_the_place_of_the_old_one(person: Person, password: str):
    response = person.client.post(f"{API}/auth/change-password", json={"new_password": password})

    assert response.status_code == 200
    assert response.json() == {"message": "Password updated successfully."}
    assert "access_token" in log_in(person.client, person.email, password)
    assert log_in(person.client, person.email)["code"] == "invalid_credentials"


def test_changing_the_password_shows_on_the_account(person: Person):
    before = person.client.get(f"{API}/auth/me").json()

    person.client.post(f"{API}/auth/change-password", json={"new_password": "Quiet-Orchard-7"})

    after = person.client.get(f"{API}/auth/me").json()
    assert after == {**before, "updated_at": after["updated_at"]}
    assert after["updated_at"] > before["updated_at"]


def test_changing_the_password_ends_every_other_login(person: Person):
    others = [log_in(person.client, person.email) for _ in range(2)]

    person.client.post(f"{API}/auth/change-password", json={"new_password": "Quiet-Orchard-7"})

    for tokens in others:
        me = person.client.get(f"{API}/auth/me", headers=bearer(tokens["access_token"]))
        renewal = person.client.post(f"{API}/auth/refresh", headers=bearer(tokens["refresh_token"]))
        assert (code_of(me), code_of(renewal)) == ((401, "token_revoked"), (401, "token_revoked"))


def test_the_login_that_changes_the_password_goes_on(person: Person):
    person.client.post(f"{API}/auth/change-password", json={"new_password": "Quiet-Orchard-7"})

    renewal = person.client.post(f"{API}/auth/refresh", headers=bearer(person.refresh_token))

    assert renewal.status_code == 200
    assert person.client.get(f"{API}/auth/me").status_code == 200


def test_changing_the_password_leaves_other_accounts_alone(person: Person, stranger: httpx.Client):
    person.client.post(f"{API}/auth/change-password", json={"new_password": "Quiet-Orchard-7"})

    response = stranger.get(f"{API}/auth/me")

    assert response.status_code == 200
