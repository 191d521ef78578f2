from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.exc import IntegrityError

import clock
from db.accounts.accounts import (
    Account,
    account_exists,
    account_named,
    change_account,
    find_account,
    name_key,
    read_account,
    refusing_taken_names,
)
from db.accounts.logins import open_login
from db.errors import AccountGone, Duplicate
from db.membership import join, leave
from db.personal_anchor import Achievement, find_profile
from db.sql.engine import autocommit, transaction
from db.sql.ownership import add
from db.tasks.tasks import Task, add_task
from tests.look_alikes import decomposed, full_width

numbers = count(1)

SAME_NAMES = [
    ("maya.lindqvist", "MAYA.Lindqvist"),
    ("straße", "STRASSE"),
    ("İpek", "i̇pek"),
    ("ὈΔΥΣΣΕΎΣ", "ὀδυσσεύς"),
    ("maya", full_width("maya")),
    ("Renée", decomposed("Renée")),
    ("John Doe", "john doe"),
    ("क्ष", "क्\N{ZERO WIDTH JOINER}ष"),
]
LONGEST_WHEN_FOLDED = "\N{GREEK SMALL LETTER IOTA WITH DIALYTIKA AND TONOS}" * 64


@pytest.mark.parametrize(("name", "same"), SAME_NAMES)
def test_usernames_are_unique_regardless_of_case(database: None, name: str, same: str):
    open_named(name)

    with pytest.raises(Duplicate) as refusal:
        open_named(same)

    assert refusal.value.code == "username_taken"
    assert same not in refusal.value.message


@pytest.mark.parametrize(
    ("address", "same"),
    [
        ("a.b@mail.example", "A.B@Mail.EXAMPLE"),
        ("x@y.example", " x@y.example "),
        ("jürgen@müller.example", "Ju\N{COMBINING DIAERESIS}rgen@xn--mller-kva.example"),
        ("wide@mail.example", f"{full_width('wide')}@{full_width('mail')}.example"),
        ("filled@mail.example", "fil\N{HANGUL FILLER}led@mail.example"),
    ],
)
def test_addresses_are_trimmed_and_unique_regardless_of_case(database: None, address: str, same: str):
    open_named(email=address)

    with pytest.raises(Duplicate) as refusal:
        open_named(email=same)

    assert refusal.value.code == "email_taken"


def test_an_address_that_is_called_like_a_constraint_is_told_from_it(database: None):
    open_named(email="uq_accounts_username_key@mail.example")

    with pytest.raises(Duplicate) as refusal:
        open_named(email="uq_accounts_username_key@mail.example")

    assert refusal.value.code == "email_taken"


def test_another_broken_constraint_is_not_taken_for_a_taken_name(database: None):
    with pytest.raises(IntegrityError), refusing_taken_names():
        open_named(password_hash=None)


def test_a_name_that_grows_when_it_is_folded_still_fits(database: None):
    account = open_named(LONGEST_WHEN_FOLDED)

    with autocommit() as connection:
        found = account_named(connection, LONGEST_WHEN_FOLDED)

    assert found is not None
    assert found.id == account.id


@given(st.text(st.characters(blacklist_categories=["Cs", "Cc", "Zs"]), min_size=1, max_size=64))
def test_the_key_of_a_name_fits_into_its_column(name: str):
    assert len(name_key(name)) <= 3 * len(name)


def test_of_two_requests_for_one_name_exactly_one_wins(database: None):
    def register(number: int) -> str:
        try:
            return open_named("Contested" if number % 2 else "cONTESTED").username
        except Duplicate as refusal:
            return refusal.code

    with ThreadPoolExecutor(8) as threads:
        outcomes = list(threads.map(register, range(8)))

    assert outcomes.count("username_taken") == 7


def test_an_account_is_found_by_either_of_its_names(database: None):
    account = open_named("Two-Names", "two@names.example")

    with autocommit() as connection:
        found = [account_named(connection, name) for name in (" two-names", "TWO@names.example", "two", "%", "")]

    assert [row and row.id for row in found] == [account.id, account.id, None, None, None]


@pytest.mark.parametrize("name", ["", " ", "@", "a@", "a" * 65, "a\u200bb", "\u202ea", "two  spaces", "a@b@c.example"])
def test_nobody_goes_by_what_cannot_be_a_name(database: None, name: str):
    with autocommit() as connection:
        assert account_named(connection, name) is None


def test_a_renamed_account_gives_its_name_free(database: None):
    account = open_named("Old-Name", "before@names.example")
    later = account.created_at + timedelta(days=1)

    with transaction() as session:
        find_account(session, account.id).rename(username="New-Name", at=later)
        find_account(session, account.id).move_to(email=" Moved@names.example ", at=later)
    open_named("old-name", "before@names.example")

    with autocommit() as connection:
        renamed = read_account(connection, account.id)
    assert (renamed.username, renamed.email, renamed.updated_at) == ("New-Name", "Moved@names.example", later)


def test_what_an_account_has_already_changes_nothing(database: None):
    account = open_named()
    before = (account.username_key, account.email_key, account.preferences, account.updated_at)

    with transaction() as session:
        values = {"username": account.username, "email": f" {account.email}", "preferences": account.preferences}
        changed = change_account(session, account.id, values, at=clock.now() + timedelta(hours=1))

    assert (changed.username_key, changed.email_key, changed.preferences, changed.updated_at) == before


def test_new_accounts_share_no_preferences(database: None):
    first = open_named()

    first.preferences["theme"] = "dark"

    assert open_named().preferences == {"theme": "light"}


@pytest.mark.parametrize(
    "write",
    [
        lambda session, gone: add_task(session.connection(), owner=gone, values={"title": "Late"}, at=clock.now()),
        lambda session, gone: add(session, Achievement, {"title": "Late"}, owner=gone, at=clock.now()),
        lambda session, gone: session.add(
            Task(account_id=gone, title="Late", created_at=clock.now(), updated_at=clock.now())
        ),
        lambda session, gone: find_profile(session, owner=gone, at=clock.now()),
        lambda session, gone: open_login(session, account_id=gone, at=clock.now(), expires_at=clock.now()),
        find_account,
    ],
    ids=["prepared insert", "added thing", "thing written at the end", "profile", "login", "the account itself"],
)
def test_nothing_is_written_for_an_account_that_was_deleted_meanwhile(gone: int, write: Callable[..., object]):
    with pytest.raises(AccountGone) as refusal, transaction() as session:
        write(session, gone)

    assert refusal.value.code == "account_not_found"


def test_a_statement_that_stands_for_itself_finds_the_account_gone_too(gone: int):
    with autocommit() as connection, pytest.raises(AccountGone):
        read_account(connection, gone)

    with pytest.raises(AccountGone), autocommit() as connection:
        add_task(connection, owner=gone, values={"title": "Late"}, at=clock.now())


def test_an_account_exists_until_it_is_deleted(database: None):
    account = open_named()

    with transaction() as session:
        before = account_exists(session.connection(), account.uuid)
        leave(session, account.id)
        after = account_exists(session.connection(), account.uuid)

    assert (before, after) == (True, False)


@pytest.fixture
def gone(owner: int) -> int:
    """The id of an account that was deleted."""
    with transaction() as session:
        leave(session, owner)
    return owner


def open_named(username: str | None = None, email: str | None = None, password_hash: Any = "unused") -> Account:
    """Open an account; a name that the test does not care about is one of its own."""
    with transaction() as session:
        return join(
            session,
            username=f"somebody{next(numbers)}" if username is None else username,
            email=email or f"somebody{next(numbers)}@mail.example",
            password_hash=password_hash,
            at=clock.now(),
        )
