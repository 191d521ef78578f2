from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

import clock
from db.personal_anchor import Profile
from db.sql.engine import autocommit
from language.texts import instant_json
from tests.conftest import Person, once

PROFILE = "/api/v1/anchor/profile"
TITLE = "Data engineer"
BIO = "I turn untidy logs into answers that people can trust."


def profiles_of(person: Person) -> int | None:
    with autocommit() as connection:
        return connection.scalar(select(func.count()).select_from(Profile).where(Profile.account_id == person.id))


def test_a_profile_that_is_missing_is_made_empty(person: Person):
    response = person.client.get(PROFILE)

    assert response.status_code == 200
    profile = response.json()
    assert profile == {
        "user_id": person.id,
        "professional_title": None,
        "one_liner_bio": None,
        "created_at": profile["created_at"],
        "updated_at": profile["created_at"],
    }
    assert person.client.get(PROFILE).json() == profile


def test_a_change_makes_a_missing_profile_too(person: Person):
    response = person.client.put(PROFILE, json={"professional_title": TITLE})

    assert response.status_code == 200
    assert response.json()["professional_title"] == TITLE
    assert profiles_of(person) == 1


@pytest.mark.parametrize(
    "changes", [{"professional_title": "Gardener"}, {"one_liner_bio": "I grow things."}, {"one_liner_bio": None}]
)
def test_a_change_sets_the_members_that_are_sent_and_no_other(person: Person, changes: dict[str, Any]):
    profile = person.client.put(PROFILE, json={"professional_title": TITLE, "one_liner_bio": BIO}).json()

    response = person.client.put(PROFILE, json={**changes, "unknown": 1})

    assert response.status_code == 200
    changed = response.json()
    assert changed == {**profile, **changes, "updated_at": changed["updated_at"]}
    assert changed["updated_at"] > profile["updated_at"]
    assert person.client.get(PROFILE).json() == changed


def test_a_change_tells_when_it_was_made(person: Person, monkeypatch: pytest.MonkeyPatch):
    created_at = person.client.get(PROFILE).json()["created_at"]
    at = clock.now()
    monkeypatch.setattr(clock, "now", lambda: at)

    profile = person.client.put(PROFILE, json={"professional_title": TITLE}).json()

    assert (profile["created_at"], profile["updated_at"]) == (created_at, instant_json(at))


@pytest.mark.parametrize("body", [{"unknown": 1}, {"user_id": 7}, {"Professional_Title": TITLE}, {"": None}])
def test_a_body_without_a_known_member_changes_nothing_and_is_told_so(person: Person, body: dict[str, Any]):
    profile = person.client.get(PROFILE).json()

    response = person.client.put(PROFILE, json=body)

    assert response.status_code == 200
    assert response.json() == {"message": "No relevant profile fields provided for update."}
    assert person.client.get(PROFILE).json() == profile


@once
def test_an_empty_body_is_bad_input(person: Person):
    response = person.client.put(PROFILE, json={})

    assert response.status_code == 400
    assert response.json()["code"] == "bad_input"


@pytest.mark.parametrize(("member", "length"), [("professional_title", 200), ("one_liner_bio", 500)])
def test_the_longest_values_are_kept_whole(person: Person, member: str, length: int):
    person.client.put(PROFILE, json={member: "🌱" * length})

    response = person.client.get(PROFILE)

    assert response.json()[member] == "🌱" * length


def test_a_profile_is_its_accounts_own(person: Person, stranger: httpx.Client):
    person.client.put(PROFILE, json={"professional_title": TITLE})

    response = stranger.get(PROFILE)

    assert response.json()["professional_title"] is None
