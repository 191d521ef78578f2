"""Which statements name the account that they are about: what a database that is spread out by account relies on.

docs/scaling.md says what would have to change for one.
"""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import Engine, event

from db.schema import metadata
from db.sql import prepared
from tests.conftest import Person
from tests.operations import OPERATIONS, request_of

OF_EVERYBODY = {"standings", "login_attempts"}
"""Tables that hold nothing of one account."""

PERSONAL = set(metadata.tables) - OF_EVERYBODY
NAMES_ACCOUNT = re.compile(r"\baccount_id(\)|,| =| IN)|= (\w+\.)?account_id\b|\baccounts\.id =|INSERT INTO accounts\b")
NAMES_THING = re.compile(r"\.(id|uuid) (=|IN)")
NAMES_WHOLE = re.compile(r"\b(task_id|login_id|session_id)\b")
"""What is part of a thing names the thing: a recurrence, a task's tags, a spent token, the plant of a session."""

ABOUT_NOBODY_IN_PARTICULAR = {
    "accounts.email_key": "who is this address",
    "accounts.username_key": "who has this name",
    "revoked_tokens": "was this token revoked, by its own number",
}

SWEEPING = re.compile(r"accounts\.is_active|_at < ")
"""What the server does beside its requests, at some time or other: closed accounts, and what is over."""


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> Iterator[set[str]]:
    """Each statement that the server sends to its database, once."""
    seen: set[str] = set()

    def noting(fetch: Callable[..., Any]) -> Callable[..., Any]:
        def fetch_noted(connection: object, sql: str, values: object) -> Any:
            seen.add(sql)
            return fetch(connection, sql, values)

        return fetch_noted

    def note(_connection: object, _cursor: object, sql: str, *_: object) -> None:
        seen.add(sql)

    monkeypatch.setattr(prepared, "_fetch_from_driver", noting(prepared._fetch_from_driver))
    monkeypatch.setattr(prepared, "_fetch_by_cursor", noting(prepared._fetch_by_cursor))
    event.listen(Engine, "before_cursor_execute", note)
    yield seen
    event.remove(Engine, "before_cursor_execute", note)


@pytest.mark.on("postgresql")
def test_statements_are_about_one_account_except_those_listed(statements: set[str], new_person: Callable[[], Person]):
    for operation in OPERATIONS:
        person = new_person()
        request = request_of(operation, person)
        person.client.request(**request)

    others = {sql for sql in statements if tables_of(sql) & PERSONAL and not is_about_one_account(sql)}
    asked = {sql for sql in others if not SWEEPING.search(sql.rpartition("WHERE")[2])}

    assert len(statements) > len(OPERATIONS)
    assert {sql for sql in asked if not any(name in sql for name in ABOUT_NOBODY_IN_PARTICULAR)} == set()
    assert [name for name in ABOUT_NOBODY_IN_PARTICULAR if not any(name in sql for sql in asked)] == []


def tables_of(sql: str) -> set[str]:
    return set(re.findall(r"(?:FROM|JOIN|UPDATE|INTO) (\w+)", sql))


def is_about_one_account(sql: str) -> bool:
    """Check whether a statement names an account, a thing by its id, or the thing that its rows are part of."""
    said = sql.partition("FROM")[2] if sql.startswith("SELECT") else sql
    return any(pattern.search(said) for pattern in (NAMES_ACCOUNT, NAMES_THING, NAMES_WHOLE))
