from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from alembic import command
from sqlalchemy import Connection, DateTime, Uuid, bindparam, create_engine, insert, select, text

from db.accounts.accounts import Account
from db.focus.standings import read_totals
from db.focus.stats import FocusStats
from db.migrations import draft
from db.schema import config_for
from db.sql.engine import driver_url
from db.sql.ownership import table_of
from names import email_key, username_key
from tests.db.conftest import engines_of_its_own
from tests.look_alikes import decomposed, full_width

AT = datetime(2026, 1, 1, tzinfo=UTC)
ADD_TASK = text(
    "INSERT INTO tasks (uuid, account_id, title, description, status, priority, created_at, updated_at)"
    " SELECT :uuid, id, :title, :description, 1, 2, :at, :at FROM accounts"
).bindparams(bindparam("uuid", type_=Uuid), bindparam("at", type_=DateTime))


def add_account(connection: Connection, name: str) -> None:
    values = {
        "username": name,
        "username_key": name,
        "email": f"{name}@mail.example",
        "email_key": f"{name}@mail.example",
    }
    rest = {"uuid": uuid4(), "password_hash": "-", "preferences": {}, "is_active": True}
    connection.execute(insert(table_of(Account)).values(**values, **rest, created_at=AT, updated_at=AT))


def test_accounts_that_were_there_before_get_statistics(new_database: Callable[[str], str]):
    engine = create_engine(driver_url(new_database("before")))
    with engine.begin() as connection:
        command.upgrade(config_for(connection), "0001")
        for number in range(20):
            add_account(connection, f"early{number}")

        command.upgrade(config_for(connection), "head")

        stats = connection.execute(select(FocusStats.total_focus_min, FocusStats.updated_at)).all()
        assert [tuple(one) for one in stats] == 20 * [(0, AT)]
        assert tuple(read_totals(connection)) == (20, 0, 0, 0)
    engine.dispose()


def test_tasks_that_were_there_before_are_found_by_their_folded_texts(new_database: Callable[[str], str]):
    engine = create_engine(driver_url(new_database("texts")))
    texts = [("Straße", None), ("ÄPFEL", "Vom MARKT")]
    with engine.begin() as connection:
        command.upgrade(config_for(connection), "0001")
        add_account(connection, "early")
        for title, description in texts:
            connection.execute(ADD_TASK, {"uuid": uuid4(), "title": title, "description": description, "at": AT})

        command.upgrade(config_for(connection), "0002")

        kept = connection.execute(text("SELECT title_key, description_key FROM tasks ORDER BY id")).all()
        assert [tuple(one) for one in kept] == [("strasse", None), ("äpfel", "vom markt")]
    engine.dispose()


def test_the_migration_can_be_taken_back(new_database: Callable[[str], str]):
    engine = create_engine(driver_url(new_database("back")))
    with engine.begin() as connection:
        command.upgrade(config_for(connection), "0004")

        command.downgrade(config_for(connection), "0001")

        assert connection.execute(text("SELECT count(*) FROM logins")).scalar_one() == 0
    engine.dispose()


def test_names_that_were_there_before_are_compared_by_the_same_rule_as_new_ones(new_database: Callable[[str], str]):
    engine = create_engine(driver_url(new_database("names")))
    with engine.begin() as connection:
        command.upgrade(config_for(connection), "0001")
        for name in ("maya", decomposed("Renée"), full_width("tom")):
            add_account(connection, name)

        command.upgrade(config_for(connection), "0006")

        kept = connection.execute(text("SELECT username, username_key FROM accounts ORDER BY id")).all()
        assert [one.username for one in kept] == ["maya", decomposed("Renée"), full_width("tom")]
        assert [one.username_key for one in kept] == ["maya", "renée", "tom"]
    engine.dispose()


def test_names_that_cannot_be_chosen_any_more_give_way_to_new_ones(new_database: Callable[[str], str]):
    engine = create_engine(driver_url(new_database("impossible")))
    names = ["maya", full_width("maya"), "no\N{ZERO WIDTH SPACE}name", "account-3", "two..dots"]
    with engine.begin() as connection:
        command.upgrade(config_for(connection), "0001")
        for name in names:
            add_account(connection, name)

        command.upgrade(config_for(connection), "0006")

        kept = connection.execute(
            text("SELECT username, username_key, email, email_key FROM accounts ORDER BY id")
        ).all()
        assert [one.username for one in kept] == ["maya", "account-2", "account-3-2", "account-3", "two..dots"]
        assert [one.email for one in kept][-2:] == ["account-3@mail.example", "account-5@renamed.invalid"]
        assert [one.username_key for one in kept] == [username_key(one.username) for one in kept]
        assert [one.email_key for one in kept] == [email_key(one.email) for one in kept]
    engine.dispose()


def test_while_the_models_stay_as_they_are_no_migration_is_drafted(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    versions = Path(draft.__file__).parent / "versions"
    before = {path.name for path in versions.glob("*.py")}

    with engines_of_its_own(f"sqlite:///{tmp_path}/aside.db"):
        draft.draft("change nothing")

    assert {path.name for path in versions.glob("*.py")} == before
    assert "have not changed" in capsys.readouterr().out
