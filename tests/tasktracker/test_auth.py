"""The contract's common door: the four operations that workspace answers, and a whole day's work behind them."""

import httpx

from tests.conftest import PASSWORD, Person, once
from tests.operations import bearer
from tests.tasktracker.test_tasks import TASKS

AUTH = "/api/v1/auth"


def test_a_newcomer_registers_logs_in_and_keeps_a_task(anonymous: httpx.Client):
    who = {"username": "maya.tracks", "email": "maya.tracks@quintet.example", "password": PASSWORD}
    registered = anonymous.post(f"{AUTH}/register", json=who)
    tokens = anonymous.post(f"{AUTH}/login", json={"email": who["email"], "password": PASSWORD}).json()
    anonymous.headers = bearer(tokens["access_token"])

    task = anonymous.post(TASKS, json={"title": "Prepare the review"}).json()
    updated = anonymous.put(f"{TASKS}/{task['id']}", json={"status": "completed"}).json()
    deleted = anonymous.delete(f"{TASKS}/{task['id']}")

    assert registered.status_code == 201
    assert task["user_id"] == registered.json()["user"]["id"]
    assert updated["completed_at"] is not None
    assert deleted.status_code == 204
    assert anonymous.get(TASKS).json()["total"] == 0


@once
def test_a_weak_password_is_refused(anonymous: httpx.Client):
    weak = ["Short-1", "no-uppercase-1", "No-Digit-Here", "NoSymbol1", "12345678"]
    who = {"username": "weak", "email": "weak@quintet.example"}

    answers = [anonymous.post(f"{AUTH}/register", json={**who, "password": password}) for password in weak]

    assert {answer.status_code for answer in answers} == {400}
    assert {error["field"] for answer in answers for error in answer.json()["errors"]} == {"password"}


def test_an_address_is_registered_once(person: Person, anonymous: httpx.Client):
    twin = {"username": f"{person.username}.twin", "email": person.email.upper(), "password": PASSWORD}

    response = anonymous.post(f"{AUTH}/register", json=twin)

    assert (response.status_code, response.json()["code"]) == (409, "email_taken")


def test_a_renewed_token_opens_the_task_list(person: Person):
    renewed = person.client.post(f"{AUTH}/refresh", headers=bearer(person.refresh_token)).json()["access_token"]

    response = person.client.get(TASKS, headers=bearer(renewed))

    assert response.status_code == 200


def test_a_token_that_is_logged_out_opens_nothing(person: Person):
    person.client.post(f"{AUTH}/logout")

    response = person.client.get(TASKS)

    assert (response.status_code, response.json()["code"]) == (401, "token_revoked")
