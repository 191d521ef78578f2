"""What is deleted by and by, and what has to stay."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, insert, select, text

from db.accounts.accounts import add_account
from db.accounts.login_attempts import WINDOW, LoginAttempt
from db.accounts.logins import Login, RevokedToken
from db.accounts.purging import CLOCKS_APART, STEP, purge_some
from db.accounts.refresh_chain import SpentToken, is_accepted
from db.schema import migrate
from db.sql.engine import autocommit, transaction

AT = datetime(2026, 3, 2, 8, 15, 42, 318_204, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
TICK = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def tables(empty_database: Engine) -> None:
    migrate(empty_database)


@pytest.fixture
def account_id() -> int:
    with transaction() as session:
        return add_account(session, username="maya", email="maya@quintet.example", password_hash="unused", at=AT).id


def a_login(account_id: int, *, expires_at: datetime, ended_at: datetime | None = None) -> UUID:
    login_id = uuid4()
    with autocommit() as connection:
        values = {"account_id": account_id, "created_at": AT - QUARTER, "refresh_jti": uuid4()}
        connection.execute(insert(Login).values(id=login_id, expires_at=expires_at, ended_at=ended_at, **values))
    return login_id


def a_spent_token(login_id: UUID, *, spent_at: datetime) -> UUID:
    jti = uuid4()
    with autocommit() as connection:
        values = {"login_id": login_id, "successor": uuid4(), "successor_expires_at": spent_at + timedelta(days=7)}
        connection.execute(insert(SpentToken).values(jti=jti, spent_at=spent_at, **values))
    return jti


def purge_all() -> Counter[str]:
    deleted = Counter[str]()
    while some := purge_some(at=AT, access_lifetime=QUARTER):
        deleted += some
    return deleted


def test_logins_go_when_they_have_ended_or_no_token_of_theirs_can_be_valid(account_id: int):
    standing = a_login(account_id, expires_at=AT + TICK)
    with_access_token = a_login(account_id, expires_at=AT - QUARTER)
    a_login(account_id, expires_at=AT - QUARTER - TICK)
    a_login(account_id, expires_at=AT + timedelta(days=7), ended_at=AT)

    deleted = purge_all()

    with autocommit() as connection:
        left = set(connection.scalars(select(Login.id)))
    assert deleted == {"ended logins": 1, "expired logins": 1}
    assert left == {standing, with_access_token}


def test_a_refresh_token_that_was_spent_long_ago_is_known_as_spent_all_the_same(account_id: int):
    login_id = a_login(account_id, expires_at=AT + timedelta(days=7))
    old = a_spent_token(login_id, spent_at=AT - CLOCKS_APART - TICK)
    recent = a_spent_token(login_id, spent_at=AT - CLOCKS_APART)

    deleted = purge_all()

    with autocommit() as connection:
        assert list(connection.scalars(select(SpentToken.jti))) == [recent]
        assert not is_accepted(connection, login_id, old, at=AT)
    assert deleted == {"spent refresh tokens": 1}


def test_attempts_and_revoked_tokens_go_when_they_count_no_more(account_id: int):
    attempts = [("0a", 0, AT - WINDOW), ("0a", 1, AT - WINDOW + TICK), ("0b", 0, AT - WINDOW - TICK)]
    with autocommit() as connection:
        for key, slot, attempted_at in attempts:
            connection.execute(insert(LoginAttempt).values(key=key, slot=slot, attempted_at=attempted_at))
        for expires_at in (AT - TICK, AT):
            connection.execute(insert(RevokedToken).values(jti=uuid4(), expires_at=expires_at))

    deleted = purge_all()

    with autocommit() as connection:
        assert [tuple(row) for row in connection.execute(select(LoginAttempt.key, LoginAttempt.slot))] == [("0a", 1)]
        assert list(connection.scalars(select(RevokedToken.expires_at))) == [AT]
    assert deleted == {"old login attempts": 2, "expired revoked tokens": 1}


def test_a_step_is_short(account_id: int):
    rows = [
        {"id": uuid4(), "account_id": account_id, "created_at": AT, "expires_at": AT, "ended_at": AT}
        for _ in range(STEP + 1)
    ]
    with transaction() as session:
        session.execute(insert(Login), rows)

    steps = [purge_some(at=AT, access_lifetime=QUARTER) for _ in range(3)]

    assert steps == [{"ended logins": STEP}, {"ended logins": 1}, {}]


@pytest.mark.on("postgresql")
def test_of_several_processes_one_purges_at_a_time(account_id: int, empty_database: Engine):
    a_login(account_id, expires_at=AT, ended_at=AT)
    with empty_database.connect().execution_options(isolation_level="READ COMMITTED") as other, other.begin():
        other.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": 0x51_17_7E_8})

        beside = purge_some(at=AT, access_lifetime=QUARTER)
    after = purge_some(at=AT, access_lifetime=QUARTER)

    assert (beside, after) == (None, {"ended logins": 1})


@pytest.mark.on("postgresql")
def test_what_a_request_has_locked_is_left_to_a_later_step(account_id: int, empty_database: Engine):
    login_id = a_login(account_id, expires_at=AT, ended_at=AT)
    with empty_database.connect().execution_options(isolation_level="READ COMMITTED") as other, other.begin():
        other.execute(select(Login.id).where(Login.id == login_id).with_for_update())

        beside = purge_some(at=AT, access_lifetime=QUARTER)
    after = purge_some(at=AT, access_lifetime=QUARTER)

    assert (beside, after) == ({}, {"ended logins": 1})
