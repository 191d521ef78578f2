from collections.abc import Callable
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, inspect, select, text

from db.focus.standings import read_totals
from db.schema import metadata
from db.sql.engine import autocommit, transaction
from tests.conftest import PASSWORD, Person
from tests.faults import raising
from tests.focusguard.conftest import at_once, error_of

ME = "/api/users/me"


def test_the_profile_is_the_account_with_its_level(person: Person):
    response = person.client.get(ME)

    assert response.status_code == 200
    assert response.json() | {"created_at": "", "updated_at": ""} == {
        "id": person.uuid,
        "username": person.username,
        "email": person.email,
        "lvl": 1,
        "xp_points": 0,
        "created_at": "",
        "updated_at": "",
    }
    assert person.client.get("/api/auth/me").json() == response.json()


def test_a_change_of_names_shows_in_every_contract_and_leaves_tokens_good(person: Person):
    name = f"new{uuid4().hex[:12]}"

    response = person.client.put(ME, json={"username": name, "email": f" {name}@quintet.example "})

    assert (response.json()["username"], response.json()["email"]) == (name, f"{name}@quintet.example")
    assert person.client.get("/api/v1/auth/me").json()["username"] == name


def test_members_that_are_not_sent_stay(person: Person):
    before = person.client.get(ME).json()

    assert person.client.put(ME, json={}).json() == before
    assert person.client.put(ME, json={"theme": "dark"}).json() == before


@pytest.mark.parametrize(("member", "code"), [("username", "USERNAME_TAKEN"), ("email", "EMAIL_TAKEN")])
def test_somebody_elses_name_is_a_conflict(person: Person, new_person: Callable[..., Person], member: str, code: str):
    taken = getattr(new_person(), member).upper()

    response = person.client.put(ME, json={member: taken})

    assert error_of(response) == (409, code)
    assert person.client.get(ME).json()["username"] == person.username


@pytest.mark.parametrize("body", [{"username": None}, {"username": "a b  c"}, {"email": "nobody"}, [], "x"])
def test_names_that_break_the_schema_are_refused(client: httpx.Client, body: object):
    assert error_of(client.put(ME, json=body)) == (422, "BAD_INPUT")


def test_others_see_nothing_private(person: Person, stranger: httpx.Client):
    response = stranger.get(f"/api/users/{person.uuid.upper()}")

    assert response.json() == {"id": person.uuid, "username": person.username, "lvl": 1, "xp_points": 0}


@pytest.mark.parametrize(
    ("user_id", "code"),
    [("0b0e7c1a-3f52-4d68-9a17-6c2e5d4f8b90", "USER_NOT_FOUND"), ("1", "NOT_FOUND"), ("abc", "NOT_FOUND")],
)
def test_an_account_that_is_not_there_is_not_found(client: httpx.Client, user_id: str, code: str):
    assert error_of(client.get(f"/api/users/{user_id}")) == (404, code)


def test_a_new_password_ends_the_other_logins_alone(anonymous: httpx.Client, person: Person):
    other = anonymous.post("/api/auth/login", json={"username": person.username, "password": PASSWORD}).json()
    change = {"current_password": PASSWORD, "new_password": "eight louder lanterns"}

    response = person.client.patch(f"{ME}/password", json=change)

    assert response.json() == {"message": "Your password is changed."}
    assert person.client.get(ME).status_code == 200
    refreshed = anonymous.post("/api/auth/refresh", json={"refresh_token": other["refresh_token"]})
    assert error_of(refreshed) == (401, "TOKEN_REVOKED")
    login = {"username": person.username, "password": "eight louder lanterns"}
    assert anonymous.post("/api/auth/login", json=login).status_code == 200


def test_whoever_does_not_know_the_password_cannot_change_it(anonymous: httpx.Client, person: Person):
    change = {"current_password": "not this one", "new_password": "eight louder lanterns"}

    response = person.client.patch(f"{ME}/password", json=change)

    assert error_of(response) == (403, "WRONG_PASSWORD")
    assert anonymous.post("/api/auth/login", json={"username": person.email, "password": PASSWORD}).status_code == 200


def changing_password(client: httpx.Client, current_password: str) -> httpx.Response:
    change = {"current_password": current_password, "new_password": PASSWORD}
    return client.patch(f"{ME}/password", json=change)


def test_after_five_wrong_current_passwords_not_even_the_right_one_is_looked_at(person: Person):
    wrong = [error_of(changing_password(person.client, f"guess {number}")) for number in range(5)]

    response = changing_password(person.client, PASSWORD)

    assert wrong == [(403, "WRONG_PASSWORD")] * 5
    assert error_of(response) == (429, "TOO_MANY_ATTEMPTS")
    wait = int(response.headers["Retry-After"])
    assert 0 < wait <= 900
    assert response.headers["RateLimit-Policy"] == '"login";q=5;w=900'
    assert response.headers["RateLimit"] == f'"login";r=0;t={wait}'


def test_the_right_current_password_ends_the_count_of_wrong_ones(person: Person):
    guesses = ["a guess"] * 4 + [PASSWORD] + ["a guess"] * 5 + [PASSWORD]

    statuses = [changing_password(person.client, guess).status_code for guess in guesses]

    assert statuses == [403] * 4 + [200] + [403] * 5 + [429]


def test_wrong_current_passwords_do_not_count_as_logins(anonymous: httpx.Client, person: Person):
    for _ in range(5):
        changing_password(person.client, "a guess")

    login = {"username": person.username, "password": PASSWORD}

    assert anonymous.post("/api/auth/login", json=login).status_code == 200


@pytest.mark.parametrize("password", ["short", "password123", "x" * 1025, "é" * 600])
def test_a_new_password_that_breaks_the_rules_is_refused(client: httpx.Client, password: str):
    response = client.patch(f"{ME}/password", json={"current_password": PASSWORD, "new_password": password})

    assert error_of(response) == (422, "BAD_INPUT")
    assert "new_password" in response.json()["detail"]["message"]


def fill(person: Person) -> None:
    """Leave something of the account in every contract."""
    session = person.client.post("/api/sessions", json={"duration_min": 25}).json()
    person.client.patch(f"/api/sessions/{session['id']}", json={"completed": True})
    person.client.post("/api/garden", json={"session_id": session["id"], "plant_type": "Fern"})
    person.client.post("/api/v1/todo/todos", json={"title": "Water the fern"})
    person.client.put("/api/v1/anchor/profile", json={"one_liner_bio": "Grows ferns"})


def rows_of(account_id: int) -> dict[str, int]:
    """Count what every table with an owner holds of an account."""
    counts: dict[str, int] = {}
    with autocommit() as connection:
        for table in metadata.sorted_tables:
            if "account_id" in table.c:
                own = select(func.count()).select_from(table).where(table.c.account_id == account_id)
                counts[table.name] = connection.scalar(own) or 0
    return counts


def test_deleting_the_account_deletes_everything_in_every_contract(anonymous: httpx.Client, person: Person):
    fill(person)
    assert rows_of(person.id)["focus_sessions"] == 1
    assert rows_of(person.id)["tasks"] == 1

    response = person.client.delete(ME)

    assert (response.status_code, response.content) == (204, b"")
    assert set(rows_of(person.id).values()) == {0}
    assert error_of(person.client.get(ME)) == (401, "ACCOUNT_NOT_FOUND")
    assert person.client.get("/api/v1/todo/todos").status_code == 401
    refreshed = anonymous.post("/api/auth/refresh", json={"refresh_token": person.refresh_token})
    assert error_of(refreshed) == (401, "ACCOUNT_NOT_FOUND")
    assert anonymous.post("/api/auth/login", json={"username": person.email, "password": PASSWORD}).status_code == 401


def test_a_deleted_account_leaves_the_totals_and_the_boards(person: Person):
    with autocommit() as connection:
        before = read_totals(connection)
    fill(person)

    person.client.delete(ME)

    with autocommit() as connection:
        after = read_totals(connection)
    assert after == (before.accounts - 1, *before[1:])


def test_the_name_of_a_deleted_account_is_free(anonymous: httpx.Client, person: Person):
    person.client.delete(ME)
    user = {"username": person.username, "email": person.email, "password": "seven quiet lanterns"}

    response = anonymous.post("/api/auth/register", json=user)

    assert response.status_code == 201


def test_an_account_can_be_deleted_once(person: Person):
    responses = at_once(10, lambda: person.client.delete(ME))

    statuses = sorted(response.status_code for response in responses)
    assert statuses == [204] + 9 * [401]


def test_what_is_written_while_the_account_goes_is_refused_or_goes_too(person: Person):
    def write(number: int) -> httpx.Response:
        if number == 10:
            return person.client.delete(ME)
        return person.client.post("/api/v1/todo/todos", json={"title": "Too late"})

    numbers = iter(range(20))

    responses = at_once(20, lambda: write(next(numbers)))

    assert {response.status_code for response in responses} <= {201, 204, 401}
    assert set(rows_of(person.id).values()) == {0}


@pytest.mark.usefixtures("base_url")
def test_every_table_of_an_account_goes_with_it():
    with autocommit() as connection:
        inspected = inspect(connection)
        for table in metadata.sorted_tables:
            for key in inspected.get_foreign_keys(table.name):
                assert key.get("options", {}).get("ondelete") in ("CASCADE", "SET NULL"), (table.name, key)


def test_a_transaction_that_fails_deletes_nothing(person: Person, monkeypatch: pytest.MonkeyPatch):
    fill(person)
    monkeypatch.setattr("db.focus.stats.replace_figures", raising(RuntimeError("broken for the test")))

    response = person.client.delete(ME)

    assert error_of(response) == (500, "INTERNAL_ERROR")
    assert rows_of(person.id)["tasks"] == 1
    with transaction() as session:
        assert session.scalar(text("SELECT count(*) FROM accounts WHERE id = :id"), {"id": person.id}) == 1
