"""The rule for migrations, as a look at what they say to PostgreSQL.

A migration leaves a table to requests while it works (no lock that they wait for is held for longer than a moment),
and leaves a schema on which the servers that run go on. What `docs/operations.md` asks for ("Changing the schema") is
refused here by the words of a statement, and by what was so when it ran.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Connection, Engine, event

MOST_ROWS = 2_000
"""How many rows one statement may change."""

NO_OTHER_WAY = {
    r"^CREATE (UNIQUE )?INDEX (?!CONCURRENTLY)": "an index is created CONCURRENTLY",
    r"^DROP INDEX (?!CONCURRENTLY)": "an index is dropped CONCURRENTLY",
    r"^(REINDEX|CLUSTER|VACUUM FULL|LOCK|TRUNCATE|REFRESH)\b": "no table is locked as a whole",
    r"^(DO|CALL)\b": "statements are not hidden in a program",
    r"\bADD COLUMN\b(?!.* DEFAULT ).* NOT NULL\b": "a new column may be null, or has a constant default",
    r"\bADD COLUMN\b.* DEFAULT [^,]*\(": "a new column may be null, or has a constant default",
    r"\bADD COLUMN\b.* ((BIG|SMALL)?SERIAL|GENERATED)\b": "a new column is not computed for the rows there are",
    r"\bADD COLUMN\b.* (UNIQUE|PRIMARY KEY|CHECK)\b": "a new column gets its constraints afterwards",
    r"\bADD (CONSTRAINT \S+ )?(CHECK|FOREIGN KEY)\b(?!.* NOT VALID\b)": "a constraint is added NOT VALID",
    r"\bADD (CONSTRAINT \S+ )?(UNIQUE|PRIMARY KEY|EXCLUDE)\b(?!.* USING INDEX )": "a constraint is added USING INDEX",
    r"\bALTER (COLUMN )?\S+ (SET DATA )?TYPE\b": "a column keeps its type",
    r"\bRENAME\b": "nothing is renamed",
    r"^(UPDATE|DELETE FROM)\b(?!.* <= )": "rows are changed in batches",
}
"""What no revision says of a table that was there before it, and what is done instead."""

NOT_NULL = re.compile(r"\bALTER (?:COLUMN )?(\S+) SET NOT NULL\b", re.IGNORECASE)
VALIDATE = re.compile(r"\bVALIDATE CONSTRAINT\b", re.IGNORECASE)
GONE = re.compile(r"^DROP TABLE\b|\bDROP (?!INDEX\b|TABLE\b|CONSTRAINT\b|NOT NULL\b)", re.IGNORECASE)
"""What servers that run may still use."""

TABLE = re.compile(
    r"^(?:ALTER TABLE|CREATE TABLE|DROP TABLE|UPDATE|DELETE FROM|INSERT INTO)(?: IF (?:NOT )?EXISTS)?(?: ONLY)? (\S+)"
    r"|^CREATE (?:UNIQUE )?INDEX .*? ON (\S+)",
    re.IGNORECASE,
)
READING = re.compile(r"^(SELECT|SHOW|SET|RESET)\b", re.IGNORECASE)
VERSION = re.compile(r"^(?:UPDATE alembic_version SET version_num=|INSERT INTO alembic_version .* VALUES \()'(\w+)'")

CHECKS = (
    "SELECT coalesce(string_agg(pg_get_constraintdef(oid), ' '), '') FROM pg_constraint"
    " WHERE contype = 'c' AND convalidated AND conrelid = to_regclass(%s)"
)


@dataclass
class Statement:
    """A statement of a migration, and what was so when it ran."""

    sql: str
    transaction: int | None
    lock_timeout: str
    checks: str
    """The checks of its table that hold for all rows."""
    rows: int = 0

    @property
    def table(self) -> str:
        """The table that it is about, if any."""
        found = TABLE.match(self.sql)
        return (found[1] or found[2]) if found else ""


@dataclass
class Recording:
    """The statements that change something, by revision, as PostgreSQL is sent them."""

    revisions: dict[str, list[Statement]] = field(default_factory=dict)
    current: list[Statement] = field(default_factory=list)
    transactions: int = 0

    def begin(self, _connection: Connection) -> None:
        """Count the transactions."""
        self.transactions += 1

    def before(self, connection: Connection, _cursor: object, sql: str, *_: object) -> None:
        """Note a statement, and what is so now."""
        driver: Any = connection.connection.driver_connection
        for one in (" ".join(part.split()) for part in sql.split(";")):
            if one and not READING.match(one):
                statement = Statement(one, None if driver.autocommit else self.transactions, "", "")
                statement.lock_timeout = driver.execute("SHOW lock_timeout").fetchone()[0]
                statement.checks = driver.execute(CHECKS, [statement.table]).fetchone()[0]
                self.current.append(statement)

    def after(self, _connection: Connection, cursor: Any, sql: str, *_: object) -> None:
        """Note how many rows it was; the last statement of a revision writes its name."""
        if not READING.match(sql):
            self.current[-1].rows = cursor.rowcount
        if version := VERSION.match(sql):
            self.revisions[version[1]] = [one for one in self.current if one.table != "alembic_version"]
            self.current = []


@contextmanager
def recording(engine: Engine) -> Iterator[Recording]:
    """Record what is said over the connections of an engine."""
    seen = Recording()
    listeners = {"begin": seen.begin, "before_cursor_execute": seen.before, "after_cursor_execute": seen.after}
    for name, listener in listeners.items():
        event.listen(engine, name, listener)
    try:
        yield seen
    finally:
        for name, listener in listeners.items():
            event.remove(engine, name, listener)


def breaches(revisions: dict[str, list[Statement]]) -> dict[str, list[str]]:
    """List how each revision after the first one breaks the rule."""
    return {
        revision: list(_breaches(statements, is_contraction=revision[-4:] != before[-4:]))
        for before, (revision, statements) in zip(revisions, list(revisions.items())[1:], strict=False)
    }


def _breaches(statements: list[Statement], *, is_contraction: bool) -> Iterator[str]:
    made = {one.table for one in statements if one.sql.upper().startswith("CREATE TABLE")}
    for number, one in enumerate(statements):
        if one.table in made:
            continue
        yield from (rule for words, rule in NO_OTHER_WAY.items() if re.search(words, one.sql, re.IGNORECASE))
        if GONE.search(one.sql) and not is_contraction:
            yield "what servers use goes in a contraction"
        if one.transaction and one.lock_timeout == "0":
            yield "nobody waits for a lock without a timeout"
        if one.rows > MOST_ROWS:
            yield "rows are changed in batches"
        if (column := NOT_NULL.search(one.sql)) and f"({column[1]} IS NOT NULL)" not in one.checks:
            yield "a column is made NOT NULL after a validated check"
        if VALIDATE.search(one.sql) and _is_locked(one, statements[:number]):
            yield "a constraint is validated in a transaction of its own"


def _is_locked(statement: Statement, before: list[Statement]) -> bool:
    return any((one.transaction, one.table) == (statement.transaction, statement.table) for one in before)
