from datetime import timedelta

import pytest

import clock
from db.accounts.logins import end_login, find_login
from db.sql.engine import autocommit, transaction
from security.errors import InvalidToken
from security.rotation import rotate
from security.tokens import Caller, identify, read_token
from tests.conftest import Person


def caller(person: Person) -> Caller:
    return identify(person.refresh_token, "refresh", at=clock.now())


def test_the_successor_is_good_where_the_spent_one_was(person: Person):
    spender = caller(person)

    tokens = rotate(spender, at=clock.now())

    assert identify(tokens.refresh_token, "refresh", at=clock.now()).account_id == person.id
    assert identify(tokens.access_token, "access", at=clock.now()).token.login_id == spender.token.login_id


def test_a_refreshed_access_token_is_not_fresh(person: Person):
    tokens = rotate(caller(person), at=clock.now())

    with pytest.raises(InvalidToken) as refused:
        identify(tokens.access_token, "fresh", at=clock.now())

    assert refused.value.code == "token_not_fresh"


def test_a_login_that_ends_while_it_is_refreshed_gives_nothing(person: Person):
    spender = caller(person)
    with autocommit() as connection:
        end_login(connection, spender.token.login_id, at=clock.now())

    with pytest.raises(InvalidToken) as refused:
        rotate(spender, at=clock.now())

    assert refused.value.code == "token_revoked"


def test_a_token_spent_long_ago_ends_its_login_even_after_it_was_let_in(person: Person):
    spender = caller(person)
    rotate(spender, at=clock.now())

    with pytest.raises(InvalidToken) as refused:
        rotate(spender, at=clock.now() + timedelta(seconds=11))

    assert refused.value.code == "token_reused"
    with transaction() as session:
        assert find_login(session, spender.token.login_id) is None


def test_the_login_lasts_as_long_as_its_newest_refresh_token(person: Person):
    later = clock.now() + timedelta(days=3)

    tokens = rotate(caller(person), at=later)

    with transaction() as session:
        login = find_login(session, caller(person).token.login_id)
        assert login is not None
        assert login.expires_at == later + timedelta(days=7)
    assert read_token(tokens.refresh_token, at=clock.now()).expires_at == login.expires_at.replace(microsecond=0)
