import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any

import httpx
import pytest

from tests.conftest import Person, once

ME = "/v1/users/me"


def preferences(client: httpx.Client, changes: dict[str, Any]) -> httpx.Response:
    return client.put(ME, json={"preferences": changes})


def test_the_profile_is_that_of_the_account(person: Person):
    response = person.client.get(ME)

    me = response.json()
    assert me == {
        "id": person.uuid,
        "username": person.username,
        "email": person.email,
        "is_active": True,
        "created_at": me["created_at"],
        "updated_at": me["created_at"],
        "preferences": {"theme": "light"},
    }


def test_only_the_members_sent_are_changed(person: Person):
    before = person.client.get(ME).json()

    after = person.client.put(ME, json={"username": f"{person.username}.renamed", "is_active": False, "id": "x"}).json()

    assert after["updated_at"] > before["updated_at"]
    assert after == {**before, "username": f"{person.username}.renamed", "updated_at": after["updated_at"]}
    assert person.client.get(ME).json() == after


def test_an_empty_body_changes_nothing(client: httpx.Client):
    before = client.get(ME).json()

    response = client.put(ME, json={})

    assert (response.status_code, response.json()) == (200, before)


@pytest.mark.parametrize(
    "preferences",
    [
        {"timezone": "Europe/Berlin", "theme": None},
        {"flags": [True, 1, 1.0, -0.0, 1e22, None, {"nested": None}], "\u2028😀": ""},
        {"theme": None, "words": "😀" * 4092},
    ],
    ids=["a time zone", "all kinds", "16 KiB"],
)
@pytest.mark.parametrize("write", [json.dumps, partial(json.dumps, ensure_ascii=False, indent=8)])
def test_the_account_as_it_is_shown_sent_back_changes_nothing(
    client: httpx.Client, preferences: dict[str, Any], write: Callable[[Any], str]
):
    client.put(ME, json={"preferences": preferences})
    shown = client.get(ME)

    response = client.put(ME, content=write(shown.json()), headers={"Content-Type": "application/json"})

    assert (response.status_code, response.content) == (200, shown.content)
    assert client.get(ME).content == shown.content


def test_a_preference_of_another_kind_is_another_one(client: httpx.Client):
    for value in (1, True, 1.0):
        client.put(ME, json={"preferences": {"flag": value}})

        assert json.dumps(client.get(ME).json()["preferences"]["flag"]) == json.dumps(value)


def test_after_a_change_the_new_names_log_in_and_the_old_ones_do_not(person: Person, anonymous: httpx.Client):
    person.client.put(ME, json={"username": f"{person.username}X", "email": f" x.{person.email} "})

    statuses = [
        anonymous.post("/v1/auth/login", json={"username": name, "password": "Harbor-Lantern-42"}).status_code
        for name in (person.username, person.email, f"{person.username}x", f"x.{person.email}")
    ]

    assert statuses == [401, 401, 200, 200]


def test_one_s_own_names_in_another_case_are_not_taken(person: Person):
    response = person.client.put(ME, json={"username": person.username.upper(), "email": person.email.upper()})

    assert response.status_code == 200
    assert (response.json()["username"], response.json()["email"]) == (person.username.upper(), person.email.upper())


@pytest.mark.parametrize(("member", "code"), [("username", "USERNAME_TAKEN"), ("email", "EMAIL_TAKEN")])
def test_somebody_elses_name_is_400_and_changes_nothing(
    person: Person, new_person: Callable[..., Person], member: str, code: str
):
    taken = getattr(new_person(), member).upper()
    before = person.client.get(ME).json()

    response = person.client.put(ME, json={member: taken, "preferences": {"theme": "dark"}})

    assert (response.status_code, response.json()["error_code"]) == (400, code)
    assert person.client.get(ME).json() == before


def test_two_who_swap_their_names_at_once_never_get_a_500(new_person: Callable[..., Person]):
    people = [new_person(), new_person()]
    names = [one.username for one in people]

    with ThreadPoolExecutor(2) as threads:
        for turn in range(10):
            wanted = names[::-1] if turn % 2 else names
            answers = threads.map(lambda one, name: one.client.put(ME, json={"username": name}), people, wanted)
            assert {answer.status_code for answer in answers} <= {200, 400}

    kept = {one.client.get(ME).json()["username"] for one in people}
    assert len(kept) == 2


@once
@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("username", None),
        ("username", ""),
        ("username", "a  b"),
        ("username", "a@b"),
        ("email", None),
        ("email", "nowhere"),
        ("preferences", None),
        ("preferences", []),
        ("preferences", "dark"),
        ("preferences", {"timezone": "Mars/Olympus"}),
        ("preferences", {"timezone": "localtime"}),
        ("preferences", {"timezone": ""}),
        ("preferences", {"timezone": 1}),
        ("preferences", {"note": "NUL\0"}),
        ("preferences", {"NUL\0": 1}),
        ("preferences", {"deep": [{"NUL\0": 1}]}),
        ("preferences", {"deep": {"deeper": [["NUL\0"]]}}),
        ("preferences", {"long": "x" * 16_384}),
    ],
)
def test_a_value_that_cannot_be_is_422_and_changes_nothing(client: httpx.Client, member: str, value: object):
    before = client.get(ME).json()

    response = client.put(ME, json={member: value})

    assert (response.status_code, response.json()["error_code"]) == (422, "BAD_INPUT")
    assert member in response.json()["detail"]
    assert client.get(ME).json() == before


@once
@pytest.mark.parametrize("text", [rb'{"a": "\ud800"}', rb'{"\udfff": 1}', rb'{"a": [{"b": "x\ud83dx"}]}'])
def test_half_a_surrogate_pair_is_422(client: httpx.Client, text: bytes):
    response = client.put(ME, content=b'{"preferences": %s}' % text, headers={"Content-Type": "application/json"})

    assert response.status_code == 422
    assert client.get(ME).json()["preferences"] == {"theme": "light"}


def test_preferences_are_merged_one_level_deep_and_null_removes(client: httpx.Client):
    preferences(client, {"timezone": "Europe/Vienna", "list": [1, None], "deep": {"a": 1, "b": None}})
    preferences(client, {"deep": {"c": 3}, "theme": None, "unknown": None})

    kept = client.get(ME).json()["preferences"]

    assert kept == {"timezone": "Europe/Vienna", "list": [1, None], "deep": {"c": 3}}


def test_any_json_is_kept_as_it_was_sent(client: httpx.Client):
    sent = {"number": 1.5, "big": 2**63, "text": "\u2028 \\u0000 😀", "": "", "no": False, "list": [[], {}]}

    response = preferences(client, sent)

    assert response.json()["preferences"] == {"theme": "light", **sent}
    assert client.get(ME).json()["preferences"] == {"theme": "light", **sent}


def test_what_is_merged_may_be_16_kib_and_no_more(client: httpx.Client):
    # {"theme":"light","a":"…"} has 24 bytes beside the text, two for each ü.
    most = "ü" * 8_180

    fits = preferences(client, {"a": most})
    too_much = preferences(client, {"b": 1})
    made_room = preferences(client, {"theme": None, "b": 1})

    assert [fits.status_code, too_much.status_code, made_room.status_code] == [200, 422, 200]
    assert "16384" in too_much.json()["detail"]


def test_settings_that_are_merged_at_once_are_all_kept(client: httpx.Client):
    with ThreadPoolExecutor(10) as threads:
        list(threads.map(lambda n: preferences(client, {f"setting {n}": n}), range(20)))

    kept = client.get(ME).json()["preferences"]

    assert kept == {"theme": "light", **{f"setting {n}": n for n in range(20)}}


def test_an_access_token_outlives_a_change_of_name(person: Person):
    person.client.put(ME, json={"username": f"{person.username}.anew"})

    response = person.client.get("/v1/tasks")

    assert response.status_code == 200
