"""`account`: on the database of a server that goes on serving."""

import json
from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import func, select

import clock
from db.accounts.accounts import Account
from db.accounts.login_attempts import SLOTS
from db.sql.engine import autocommit, transaction
from db.tasks.tasks import Task, new_task
from tests.commands.conftest import Run
from tests.conftest import Person

LOGIN = "/v1/auth/login"
OTHER_PASSWORD = "Quiet-Lantern-57"
ONLY_ME = "/api/auth/me"

NewPerson = Callable[..., Person]


def log_in(anonymous: httpx.Client, name: str, password: str) -> int:
    return anonymous.post(LOGIN, json={"username": name, "password": password}).status_code


def test_an_account_is_listed_on_one_line(run: Run, person: Person):
    listed = run("account", "list", person.username[:-1] + person.username[-1].upper(), "--limit", "10000")

    lines = [line.split("\t") for line in listed.stdout.splitlines()]
    assert listed.exit_code == 0
    assert [line[1] for line in lines if line[3] == person.username] == [person.uuid]
    assert all(len(line) == 5 for line in lines)


def test_accounts_are_listed_in_pages(run: Run, new_person: NewPerson):
    people = [new_person() for _ in range(3)]

    first = run("account", "list", "--json", "--limit", "2", "--after", str(people[0].id - 1))
    second = run("account", "list", "--json", "--limit", "2", "--after", str(people[1].id))

    assert [json.loads(line)["username"] for line in first.stdout.splitlines()] == [one.username for one in people[:2]]
    assert first.stderr == f"There are more: --after {people[1].id}\n"
    assert json.loads(second.stdout)["email"] == people[2].email


@pytest.mark.on("sqlite")
def test_what_a_search_looks_for_is_no_pattern(run: Run, person: Person):
    assert run("account", "list", "%").stdout == ""


@pytest.mark.parametrize(
    "name_of", [lambda one: one.username, lambda one: one.email.upper(), lambda one: str(one.id), lambda one: one.uuid]
)
def test_an_account_is_shown_by_any_of_its_names(run: Run, person: Person, name_of: Callable[[Person], str]):
    shown = json.loads(run("account", "show", name_of(person), "--json").stdout)

    assert (shown["id"], shown["uuid"], shown["username"]) == (person.id, person.uuid, person.username)
    assert (shown["email"], shown["logins"]) == (person.email, 1)
    assert "password" not in str(shown)


@pytest.mark.on("sqlite")
def test_who_takes_anothers_id_for_a_name_is_not_taken_for_them(run: Run, new_person: NewPerson):
    victim, other = new_person(), new_person()
    with transaction() as session:
        session.get_one(Account, other.id).rename(username=str(victim.id), at=clock.now())

    deleted = run("account", "delete", str(victim.id), "--yes")

    assert (deleted.exit_code, deleted.stderr.count("\n")) == (1, 1)
    assert deleted.stderr.startswith("Error: two accounts are called so")
    assert run("account", "show", victim.email).exit_code == 0


@pytest.mark.on("sqlite")
@pytest.mark.parametrize("command", ["show", "set-password", "end-logins", "delete"])
@pytest.mark.parametrize("name", ["nobody", "9" * 40, "-1", "", "\N{GRINNING FACE}"])
def test_nobody_is_found_by_a_name_that_nobody_has(run: Run, base_url: str, command: str, name: str):
    refused = run("account", command, "--", name)

    assert (refused.exit_code, refused.stderr) == (1, "Error: no account has this name\n")


def test_an_account_that_is_created_can_log_in(run: Run, anonymous: httpx.Client, person: Person):
    name = f"made-after-{person.username}"

    made = run(
        "account", "create", name, f"{name}@quintet.example", "--password-stdin", typed=f"{OTHER_PASSWORD}\nmore\n"
    )

    assert made.exit_code == 0
    assert log_in(anonymous, name, OTHER_PASSWORD) == 200


@pytest.mark.on("sqlite")
def test_a_password_is_asked_for_twice_and_not_shown(run: Run, anonymous: httpx.Client, person: Person):
    typed = f"{OTHER_PASSWORD}\nmistyped\n{OTHER_PASSWORD}\n{OTHER_PASSWORD}\n"

    made = run("account", "set-password", person.email, typed=typed)

    assert made.exit_code == 0
    assert OTHER_PASSWORD not in made.output
    assert log_in(anonymous, person.email, OTHER_PASSWORD) == 200


@pytest.mark.on("sqlite")
@pytest.mark.parametrize(
    ("username", "email", "password", "said"),
    [
        (
            "m@ya",
            "new@quintet.example",
            OTHER_PASSWORD,
            "username must be made of letters, digits and ASCII punctuation other than @",
        ),
        ("x" * 65, "new@quintet.example", OTHER_PASSWORD, "username must have at most 64 characters"),
        ("new", "nowhere", OTHER_PASSWORD, "email must be an e-mail address"),
        ("new", "new@quintet.example", "short", "password must have at least 8 characters"),
        ("new", "new@quintet.example", "x" * 1025, "password must have at most"),
        ("new", "new@quintet.example", "", "password must not be empty"),
        ("new", "new@quintet.example", "password", "is among the commonest ones"),
    ],
)
def test_what_the_contracts_refuse_is_refused_here(
    run: Run, base_url: str, username: str, email: str, password: str, said: str
):
    refused = run("account", "create", username, email, "--password-stdin", typed=f"{password}\n")

    assert (refused.exit_code, refused.stderr.count("\n")) == (1, 1)
    assert said in refused.stderr


@pytest.mark.on("sqlite")
def test_a_password_that_is_no_text_is_refused(run: Run, base_url: str):
    refused = run("account", "create", "new", "new@quintet.example", "--password-stdin", typed=b"lantern\xff\n")

    assert (refused.exit_code, refused.stderr) == (1, "Error: this is no text in UTF-8\n")


def test_a_name_that_is_taken_is_refused(run: Run, person: Person):
    typed = f"{OTHER_PASSWORD}\n"

    names = run("account", "create", person.username.upper(), "new@quintet.example", "--password-stdin", typed=typed)
    addresses = run("account", "create", "new", person.email, "--password-stdin", typed=typed)

    assert (names.exit_code, names.stderr) == (1, "Error: This username is taken.\n")
    assert (addresses.exit_code, addresses.stderr) == (1, "Error: This e-mail address is taken.\n")


def test_who_is_locked_out_gets_in_with_the_password_that_is_set(run: Run, anonymous: httpx.Client, person: Person):
    locked_out = [log_in(anonymous, person.username, "Wrong-Password-1") for _ in range(SLOTS + 1)]

    done = run("account", "set-password", person.username, "--password-stdin", typed=f"{OTHER_PASSWORD}\n")

    assert locked_out == [401] * SLOTS + [429]
    assert done.stdout == f"The password of {person.username} is set; 1 logins ended.\n"
    assert person.client.get(ONLY_ME).status_code == 401
    assert log_in(anonymous, person.username, OTHER_PASSWORD) == 200


def test_logins_that_are_ended_have_ended_at_once(run: Run, person: Person, stranger: httpx.Client):
    done = run("account", "end-logins", person.username)

    assert done.stdout == f"1 logins of {person.username} ended.\n"
    assert person.client.get(ONLY_ME).status_code == 401
    assert stranger.get(ONLY_ME).status_code == 200
    assert run("account", "end-logins", person.username).stdout == f"0 logins of {person.username} ended.\n"


def test_an_account_is_deleted_with_all_its_things(run: Run, person: Person):
    with transaction() as session:
        for number in range(230):
            new_task(session, {"title": f"Task {number}"}, owner=person.id, at=clock.now())

    refused = run("account", "delete", person.username, typed="n\n")
    deleted = run("account", "delete", person.username, typed="y\n")

    assert refused.exit_code == 1
    assert f"{person.username} <{person.email}>, id {person.id}, with 231 things of it?" in refused.stdout
    assert deleted.exit_code == 0
    assert deleted.stdout.endswith(f"The account of {person.username} is deleted.\n")
    with autocommit() as connection:
        things = connection.scalar(select(func.count()).select_from(Task).where(Task.account_id == person.id))
        assert (things, connection.scalar(select(Account.id).where(Account.id == person.id))) == (0, None)
    assert person.client.get(ONLY_ME).status_code in (401, 404)
