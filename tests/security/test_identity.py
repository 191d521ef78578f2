from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import jwt
import pytest
from sqlalchemy import text

import clock
from db.accounts.accounts import find_account
from db.accounts.logins import Login, RevokedToken, end_logins, open_login, revoke_token
from db.errors import AccountGone
from db.sql.engine import autocommit, transaction
from security.errors import InvalidToken, WrongTokenKind
from security.tokens import Kind, access_token, identify, read_token
from tests.conftest import Person

KINDS: list[tuple[Kind, str, type[Exception] | None, str]] = [
    ("access", "fresh", None, ""),
    ("access", "stale", None, ""),
    ("access", "refresh", InvalidToken, "wrong_token_kind"),
    ("fresh", "fresh", None, ""),
    ("fresh", "stale", InvalidToken, "token_not_fresh"),
    ("fresh", "refresh", InvalidToken, "wrong_token_kind"),
    ("refresh", "refresh", None, ""),
    ("refresh", "fresh", WrongTokenKind, "wrong_token_kind"),
    ("refresh", "stale", WrongTokenKind, "wrong_token_kind"),
]


@pytest.mark.parametrize(("wanted", "sent", "refusal", "code"), KINDS)
def test_an_operation_gets_the_kind_of_token_that_it_asks_for(
    new_person: Callable[..., Person], wanted: Kind, sent: str, refusal: type[Exception] | None, code: str
):
    person = new_person(fresh=sent == "fresh")
    raw = person.refresh_token if sent == "refresh" else person.access_token

    if refusal is None:
        assert identify(raw, wanted, at=clock.now()).account_id == person.id
    else:
        with pytest.raises(refusal) as raised:
            identify(raw, wanted, at=clock.now())
        assert getattr(raised.value, "code", None) == code


def test_the_kind_is_told_before_revocation_and_after_expiry(person: Person):
    revoke(person.access_token)

    with pytest.raises(WrongTokenKind):
        identify(person.access_token, "refresh", at=clock.now())
    with pytest.raises(InvalidToken) as refusal:
        identify(person.access_token, "refresh", at=clock.now() + timedelta(hours=1))
    assert refusal.value.code == "token_expired"


def test_a_revoked_token_counts_no_more_and_the_others_of_its_login_do(person: Person):
    revoke(person.access_token)

    with pytest.raises(InvalidToken) as refusal:
        identify(person.access_token, "access", at=clock.now())

    assert refusal.value.code == "token_revoked"
    assert identify(person.refresh_token, "refresh", at=clock.now()).account_id == person.id


def test_a_token_may_be_revoked_by_many_at_once(person: Person):
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(revoke, [person.access_token] * 8))

    with pytest.raises(InvalidToken):
        identify(person.access_token, "access", at=clock.now())


def test_revoked_tokens_are_forgotten_once_they_have_expired(person: Person, new_person: Callable[..., Person]):
    revoke(person.access_token)
    forgotten = read_token(person.access_token, at=clock.now())
    other = read_token(new_person().access_token, at=clock.now())

    with transaction() as session:
        later = forgotten.expires_at + timedelta(seconds=1)
        revoke_token(session, jti=other.jti, expires_at=other.expires_at + timedelta(days=1), at=later)

        assert session.get(RevokedToken, forgotten.jti) is None
        assert session.get(RevokedToken, other.jti) is not None


def test_logins_are_forgotten_once_they_have_expired(person: Person):
    login_id = read_token(person.access_token, at=clock.now()).login_id

    with transaction() as session:
        later = clock.now() + timedelta(days=8)
        new = open_login(session, account_id=person.id, at=later, expires_at=later + timedelta(days=7))

    with transaction() as session:
        assert session.get(Login, login_id) is None
        assert session.get(Login, new.id) is not None


def test_no_token_of_an_ended_login_counts(person: Person):
    caller = identify(person.access_token, "access", at=clock.now())
    ended_at = clock.now()
    with transaction() as session:
        login = session.get_one(Login, caller.token.login_id)
        login.end(ended_at)
        login.end(ended_at + timedelta(days=1))

    for raw, kind in tokens_of(person):
        with pytest.raises(InvalidToken) as refusal:
            identify(raw, kind, at=clock.now())
        assert refusal.value.code == "token_revoked"
    assert login.ended_at == ended_at


def test_ending_the_other_logins_spares_one_and_those_of_other_people(new_person: Callable[..., Person]):
    person, other = new_person(), new_person()
    kept = identify(person.access_token, "access", at=clock.now()).token.login_id

    with transaction() as session:
        ended = open_login(session, account_id=person.id, at=clock.now(), expires_at=clock.now() + timedelta(days=7))
        end_logins(session, account_id=person.id, kept=kept, at=clock.now())
        account = find_account(session, person.id)

    with pytest.raises(InvalidToken):
        identify(access_token(account, ended.id, fresh=True, at=clock.now()), "access", at=clock.now())
    assert identify(person.access_token, "access", at=clock.now()).account_id == person.id
    assert identify(other.access_token, "access", at=clock.now()).account_id == other.id


def test_the_account_of_a_token_may_be_gone(person: Person):
    person.close_account()

    for raw, kind in tokens_of(person):
        with pytest.raises(AccountGone):
            identify(raw, kind, at=clock.now())


def test_a_name_in_a_token_is_never_trusted(new_person: Callable[..., Person]):
    renamed, heir = new_person(), new_person()
    with transaction() as session:
        find_account(session, renamed.id).rename(username=f"{renamed.username}-renamed", at=clock.now())
        find_account(session, heir.id).rename(username=renamed.username, at=clock.now())

    caller = identify(renamed.access_token, "access", at=clock.now())

    claims = jwt.decode(renamed.access_token, options={"verify_signature": False})
    assert claims["username"] == renamed.username
    assert caller.account_id == renamed.id
    assert "username" not in dir(caller.token)


@pytest.mark.on("postgresql")
def test_a_token_is_checked_anew_when_the_connection_died(person: Person):
    identify(person.access_token, "access", at=clock.now())
    with autocommit() as connection:
        # Only what this process may hold: PostgreSQL's own work on a database may take longer to end.
        others = "backend_type = 'client backend' AND datname = current_database() AND pid <> pg_backend_pid()"
        connection.execute(text(f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE {others}"))
        connection.invalidate()

    assert identify(person.access_token, "access", at=clock.now()).account_id == person.id


def tokens_of(person: Person) -> list[tuple[str, Kind]]:
    return [(person.access_token, "access"), (person.refresh_token, "refresh")]


def revoke(raw: str) -> None:
    token = read_token(raw, at=clock.now())
    with transaction() as session:
        revoke_token(session, jti=token.jti, expires_at=token.expires_at, at=clock.now())
