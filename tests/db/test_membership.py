import pytest
from sqlalchemy.orm import Session

import clock
from db.accounts.accounts import Account, account_exists
from db.errors import AccountGone, Duplicate
from db.focus.standings import read_totals
from db.focus.stats import FocusStats
from db.membership import join, leave
from db.sql.engine import transaction


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


def new_member(session: Session, name: str) -> Account:
    return join(session, username=name, email=f"{name}@quintet.example", password_hash="unused", at=clock.now())
