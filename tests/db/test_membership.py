from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

import clock
from db import sweeping
from db.accounts.accounts import Account, account_exists, account_named, find_account, read_account
from db.accounts.logins import account_of, open_login
from db.errors import AccountGone, Duplicate, NotFound
from db.focus.standings import read_totals
from db.focus.stats import FocusStats
from db.membership import join, leave
from db.sql.engine import autocommit, transaction
from db.sql.ownership import read_owned
from db.sweeping import sweep
from db.tasks.tasks import Task, new_task

STEP = 3


def test_an_account_joins_with_its_statistics(database: None):
    with transaction() as session:
        before = read_totals(session.connection()).accounts

        account = new_member(session, "joiner")

        assert session.get_one(FocusStats, account.id).total_focus_min == 0
        assert read_totals(session.connection()).accounts == before + 1


def test_an_account_that_is_refused_is_not_counted(database: None):
    with transaction() as session:
        new_member(session, "first-come")
        before = read_totals(session.connection())

    with pytest.raises(Duplicate), transaction() as session:
        new_member(session, "First-Come")

    with transaction() as session:
        assert read_totals(session.connection()) == before


def test_an_account_leaves_with_its_statistics(database: None):
    with transaction() as session:
        before = read_totals(session.connection())
        account = new_member(session, "leaver")

        leave(session, account.id)
        session.flush()

        assert not account_exists(session.connection(), account.uuid)
        assert read_totals(session.connection()) == before


def test_an_account_leaves_once(database: None):
    with transaction() as session:
        account = new_member(session, "gone")
        leave(session, account.id)

    with pytest.raises(AccountGone), transaction() as session:
        leave(session, account.id)


@pytest.fixture
def no_sweeper(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave the sweeping to the test, and let few things be many."""
    monkeypatch.setattr(sweeping, "listeners", set())
    monkeypatch.setattr(sweeping, "STEP", STEP)


@pytest.fixture
def large(database: None, no_sweeper: None) -> Iterator[int]:
    """An account that has more than one step deletes."""
    with transaction() as session:
        account = new_member(session, "large")
        for number in range(3 * STEP):
            values = {"title": f"{number}", "tags": ["home"], "recurrence": {"pattern_type": "daily"}}
            new_task(session, values, owner=account.id, at=clock.now())
    yield account.id
    while sweep():
        pass


def test_a_large_account_is_gone_before_its_things_are_deleted(large: int):
    with transaction() as session:
        totals = read_totals(session.connection()).accounts
        uuid = find_account(session, large).uuid
        login = open_login(session, account_id=large, at=clock.now(), expires_at=clock.now())

        leave(session, large)

    assert tasks_of(large)
    with transaction() as session, pytest.raises(AccountGone):
        find_account(session, large)
    with transaction() as session, pytest.raises(AccountGone):
        open_login(session, account_id=large, at=clock.now(), expires_at=clock.now())
    with autocommit() as connection, pytest.raises(AccountGone):
        read_account(connection, large)
    with autocommit() as connection:
        assert not account_exists(connection, uuid)
        assert account_named(connection, "large") is account_named(connection, "large@quintet.example") is None
        assert account_of(connection, uuid=uuid, login_id=login.id, jti=uuid) is None
        assert read_totals(connection).accounts == totals - 1


def test_its_tasks_are_gone_for_strangers_too(large: int, new_owner: Callable[[], int]):
    stranger = new_owner()
    with transaction() as session:
        leave(session, large)

    with autocommit() as connection, pytest.raises(NotFound):
        read_owned(connection, Task, tasks_of(large)[0], owner=stranger)


def test_its_name_is_free_at_once(large: int):
    with transaction() as session:
        leave(session, large)

    with transaction() as session:
        leave(session, new_member(session, "large").id)


def test_a_large_account_leaves_once(large: int):
    with transaction() as session:
        leave(session, large)

    with pytest.raises(AccountGone), transaction() as session:
        leave(session, large)


def test_what_it_leaves_is_swept_in_short_steps(large: int):
    with transaction() as session:
        leave(session, large)
    counts = [len(tasks_of(large))]

    while sweep():
        counts.append(len(tasks_of(large)))

    assert counts == [6, 3, 0, 0]
    assert account_ids(large) == []


def test_sweeping_leaves_others_alone(large: int, owner: int):
    with transaction() as session:
        new_task(session, {"title": "mine"}, owner=owner, at=clock.now())
        leave(session, large)

    while sweep():
        pass

    assert len(tasks_of(owner)) == len(account_ids(owner)) == 1


@pytest.mark.on("postgresql")
def test_a_step_passes_over_what_a_request_has_locked(large: int):
    with transaction() as session:
        leave(session, large)

    with transaction() as session:
        locked = session.scalars(select(Task.id).where(Task.account_id == large).limit(1).with_for_update()).all()
        for _ in range(5):
            sweep()
        left = tasks_of(large)
    while sweep():
        pass

    assert left == locked
    assert account_ids(large) == []


def tasks_of(account_id: int) -> list[int]:
    with autocommit() as connection:
        return list(connection.scalars(select(Task.id).where(Task.account_id == account_id)))


def account_ids(account_id: int) -> list[int]:
    with autocommit() as connection:
        return list(connection.scalars(select(Account.id).where(Account.id == account_id)))


def new_member(session: Session, name: str) -> Account:
    return join(session, username=name, email=f"{name}@quintet.example", password_hash="unused", at=clock.now())
