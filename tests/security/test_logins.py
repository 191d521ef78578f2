from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from datetime import timedelta
from itertools import count
from multiprocessing import get_context

import bcrypt
import pytest
from sqlalchemy import func, select, update

import clock
from db.accounts.login_attempts import SLOTS, WINDOW, LoginAttempt
from db.sql.engine import autocommit, transaction
from security.errors import InvalidCredentials, InvalidToken, TooManyAttempts
from security.logins import log_in, set_password
from security.tokens import identify
from tests.conftest import HANGS_AFTER, PASSWORD, Person
from tests.security.another_process import attempt, knock, prepare

AT = clock.now()
REFUSED, THROTTLED = "invalid_credentials", "too_many_attempts"

NewPerson = Callable[..., Person]

numbers = count(1)


@pytest.fixture
def address() -> str:
    """A client address that no other test uses."""
    return f"2001:db8::{next(numbers):x}"


def test_there_are_five_attempts_in_fifteen_minutes():
    assert (5, timedelta(minutes=15)) == (SLOTS, WINDOW)


def test_a_login_gives_tokens_of_its_account(person: Person, address: str):
    account, tokens = log_in(person.email, PASSWORD, client_address=address, at=clock.now())

    assert account.id == person.id
    assert identify(tokens.access_token, "fresh", at=clock.now()).account_id == person.id
    assert identify(tokens.refresh_token, "refresh", at=clock.now()).account_id == person.id


def test_each_login_stands_for_itself(person: Person, address: str):
    logins = [log_in(person.email, PASSWORD, client_address=address, at=clock.now()) for _ in range(2)]

    ids = {identify(tokens.access_token, "access", at=clock.now()).token.login_id for _, tokens in logins}
    assert len(ids) == 2


@pytest.mark.parametrize("name_of", [lambda one: one.username, lambda one: one.email, lambda one: one.email.upper()])
def test_an_account_may_be_named_in_any_way(person: Person, address: str, name_of: Callable[[Person], str]):
    account, _ = log_in(f" {name_of(person)}", PASSWORD, client_address=address, at=clock.now())

    assert account.id == person.id


def test_unknown_names_and_wrong_passwords_are_refused_alike(person: Person, address: str):
    refusals = []
    for name in (person.email, "nobody@quintet.example", "", "\N{GRINNING FACE}"):
        with pytest.raises(InvalidCredentials) as refusal:
            log_in(name, "Wrong-Password-1", client_address=address, at=AT)
        refusals.append((type(refusal.value), refusal.value.code, refusal.value.message))

    assert len(set(refusals)) == 1


def test_an_unknown_name_costs_a_hash_too(person: Person, address: str, monkeypatch: pytest.MonkeyPatch):
    compared: list[str] = []
    checkpw = bcrypt.checkpw
    monkeypatch.setattr(bcrypt, "checkpw", lambda one, other: compared.append(other[:7]) or checkpw(one, other))

    for name in (person.email, "nobody@quintet.example"):
        attempt(name, address, AT)

    assert compared == [b"$2b$04$", b"$2b$04$"]


def test_the_sixth_attempt_is_refused_even_with_the_right_password(person: Person, address: str):
    outcomes = [attempt(person.email, address, AT) for _ in range(7)]

    assert outcomes == [REFUSED] * 5 + [THROTTLED] * 2
    with pytest.raises(TooManyAttempts) as refusal:
        log_in(person.email, PASSWORD, client_address=address, at=AT)
    assert (refusal.value.limit, refusal.value.window, refusal.value.retry_after) == (5, 900, 900)


def test_a_refused_attempt_costs_no_hash(person: Person, address: str, monkeypatch: pytest.MonkeyPatch):
    for _ in range(5):
        attempt(person.email, address, AT)
    monkeypatch.setattr(bcrypt, "checkpw", lambda *_: pytest.fail("hashed"))

    assert attempt(person.email, address, AT) == THROTTLED


@pytest.mark.parametrize("name_of", [lambda one: one.username, lambda one: one.email])
def test_attempts_count_for_a_name_however_it_is_written(
    person: Person, address: str, name_of: Callable[[Person], str]
):
    name = name_of(person)
    names = [name, name.upper(), f" {name}", f"{name}\t", name.title()]

    outcomes = [attempt(name, address, AT) for name in names]

    assert outcomes == [REFUSED] * 5
    assert {attempt(name, address, AT) for name in names} == {THROTTLED}


def test_attempts_at_a_username_do_not_tell_whose_an_email_address_is(new_person: Callable[..., Person], address: str):
    person, other = new_person(), new_person()
    for _ in range(5):
        attempt(person.username, address, AT)

    outcomes = [attempt(email, address, AT) for email in (person.email, other.email, "nobody@quintet.example")]

    assert outcomes == [REFUSED] * 3


def test_a_name_may_be_any_text(person: Person, address: str):
    names = ["\u200f\u202e", "\N{FULLWIDTH LATIN SMALL LETTER A}" * 1_000, "e\u0301\u0301", "@", "\n", "\U000e0041"]

    outcomes = [attempt(name, address, AT) for name in names]

    assert set(outcomes) == {REFUSED}


def test_attempts_at_a_name_that_nobody_has_count_too(address: str, person: Person):
    names = ["Nobody@quintet.example", "nobody@quintet.example "]

    outcomes = [attempt(name, address, AT) for name in names * 3]

    assert outcomes == [REFUSED] * 5 + [THROTTLED]


def test_other_accounts_and_other_addresses_have_their_own_attempts(new_person: Callable[..., Person], address: str):
    person, other = new_person(), new_person()
    for _ in range(5):
        attempt(person.email, address, AT)

    assert attempt(person.email, f"{address}:1", AT) == REFUSED
    assert attempt(other.email, address, AT) == REFUSED


def test_a_successful_login_clears_the_count(person: Person, address: str):
    for _ in range(4):
        attempt(person.email, address, AT)

    log_in(person.email, PASSWORD, client_address=address, at=AT)

    assert [attempt(person.email, address, AT) for _ in range(6)] == [REFUSED] * 5 + [THROTTLED]


def test_a_successful_login_clears_the_count_of_its_own_name_and_address_alone(person: Person, address: str):
    attempted = [(person.username, address), (person.email, f"{address}:1")]
    for name, where in attempted:
        for _ in range(5):
            attempt(name, where, AT)

    log_in(person.email, PASSWORD, client_address=address, at=AT)

    assert [attempt(name, where, AT) for name, where in attempted] == [THROTTLED, THROTTLED]


def test_each_slot_is_free_again_when_its_window_ends(person: Person, address: str):
    for minute in range(5):
        attempt(person.email, address, AT + timedelta(minutes=minute))
    with pytest.raises(TooManyAttempts) as refusal:
        log_in(person.email, PASSWORD, client_address=address, at=AT + timedelta(minutes=5))

    assert refusal.value.retry_after == 10 * 60
    assert attempt(person.email, address, AT + WINDOW - timedelta(microseconds=1)) == THROTTLED
    assert attempt(person.email, address, AT + WINDOW) == REFUSED
    assert attempt(person.email, address, AT + WINDOW) == THROTTLED
    assert attempt(person.email, address, AT + WINDOW + timedelta(minutes=1)) == REFUSED


def test_waiting_as_long_as_one_is_told_is_enough(person: Person, address: str):
    for _ in range(5):
        attempt(person.email, address, AT)
    at = AT + timedelta(seconds=17, microseconds=1)
    with pytest.raises(TooManyAttempts) as refusal:
        log_in(person.email, PASSWORD, client_address=address, at=at)

    log_in(person.email, PASSWORD, client_address=address, at=at + timedelta(seconds=refusal.value.retry_after))


def test_attempts_are_forgotten_when_they_count_no_more(person: Person, address: str):
    for _ in range(5):
        attempt(person.email, address, AT)

    log_in(person.email, PASSWORD, client_address=address, at=AT + WINDOW)

    with autocommit() as connection:
        old = select(func.count()).select_from(LoginAttempt).where(LoginAttempt.attempted_at <= AT)
        assert connection.execute(old).scalar() == 0


def test_who_is_locked_out_gets_in_with_the_password_that_an_operator_sets(person: Person, new_person: NewPerson):
    other = new_person()
    addresses = ["2001:db8:1::1", "2001:db8:1::2"]
    for name in (person.email, person.username, other.email):
        for address in addresses:
            outcomes = [attempt(name, address, AT) for _ in range(6)]
            assert outcomes[-1] == THROTTLED

    set_password(person.id, "Another-Harbor-43", at=AT)

    for address in addresses:
        account, _ = log_in(person.username, "Another-Harbor-43", client_address=address, at=AT)
        assert account.id == person.id
        assert log_in(person.email, "Another-Harbor-43", client_address=address, at=AT)[0].id == person.id
        assert attempt(other.email, address, AT) == THROTTLED


def test_a_password_that_an_operator_sets_ends_all_logins(person: Person, address: str):
    log_in(person.email, PASSWORD, client_address=address, at=AT)

    ended = set_password(person.id, "Another-Harbor-43", at=AT)

    assert ended == 2
    with pytest.raises(InvalidToken):
        identify(person.access_token, "access", at=AT)
    with pytest.raises(InvalidCredentials):
        log_in(person.email, PASSWORD, client_address=address, at=AT)


def test_neither_names_nor_addresses_are_kept(person: Person, address: str):
    attempt(person.email, address, AT)

    with autocommit() as connection:
        keys = connection.execute(select(LoginAttempt.key)).scalars().all()
    assert keys
    assert all(len(key) == 64 and int(key, 16) for key in keys)


def test_threads_that_race_for_the_last_slot_never_get_a_sixth(person: Person, address: str):
    with ThreadPoolExecutor(16) as threads:
        outcomes = list(threads.map(lambda _: attempt(person.email, address, AT), range(24)))

    assert sorted(outcomes) == [REFUSED] * 5 + [THROTTLED] * 19


def test_threads_that_come_back_after_the_window_get_five_again(person: Person, address: str):
    with transaction() as session:
        session.execute(update(LoginAttempt).values(attempted_at=AT))
    with ThreadPoolExecutor(16) as threads:
        for windows in range(1, 4):
            at = AT + windows * WINDOW
            outcomes = list(threads.map(lambda _, at=at: attempt(person.email, address, at), range(16)))

            assert sorted(outcomes) == [REFUSED] * 5 + [THROTTLED] * 11


def test_two_processes_share_five_attempts(person: Person, address: str, database_url: str):
    context = get_context("spawn")
    ready = (database_url, context.Barrier(2))
    with ProcessPoolExecutor(2, context, initializer=prepare, initargs=ready) as processes:
        runs = [processes.submit(knock, name, address, AT, 8) for name in (person.email, person.email.upper())]
        (first, some), (second, others) = [run.result(HANGS_AFTER) for run in runs]

    assert first != second
    assert some + others == {REFUSED: 5, THROTTLED: 11}
    assert attempt(person.email, address, AT) == THROTTLED
