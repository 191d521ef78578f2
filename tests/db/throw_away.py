"""Revisions that tests write, after those that there are."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from alembic.script import ScriptDirectory
from sqlalchemy import Engine, insert

from db import schema
from db.accounts.accounts import Account
from db.schema import REVISION
from db.sql.ownership import table_of
from db.tasks.tasks import Task

CONTRACTION = "# A contraction."
"""How the body of a revision begins that servers of the revision before run on, and older ones do not."""

TEXT = """
import sqlalchemy as sa
from alembic import op

from db.migrations import steps

revision = "{revision}"
down_revision = "{before}"


def upgrade() -> None:
    {body}
"""


def revisions() -> dict[str, Path]:
    """List the revisions there are, oldest first, and where each is written."""
    scripts = ScriptDirectory(str(schema.MIGRATIONS)).walk_revisions()
    return {script.revision: Path(script.path) for script in reversed([*scripts])}


def write_revisions(folder: Path, bodies: Sequence[str]) -> list[str]:
    """Write a revision for each body into a folder, and return their ids."""
    written = [*revisions()][-1:]
    for body in bodies:
        before = written[-1]
        number = int(before[:4]) + 1
        oldest = number - 1 if body.startswith(CONTRACTION) else int(before[-4:])
        written.append(f"{number:04}_fits_{oldest:04}")
        assert REVISION.fullmatch(written[-1])
        text = TEXT.format(revision=written[-1], before=before, body=body.replace("\n", "\n    "))
        (folder / f"{written[-1]}.py").write_text(text)
    return written[1:]


def fill(engine: Engine, tasks: int) -> None:
    """Add an account that has so many tasks."""
    at = datetime(2026, 1, 1, tzinfo=UTC)
    stamps = {"created_at": at, "updated_at": at}
    person = {"username": "maya", "username_key": "maya", "email": "maya@q.example", "email_key": "maya@q.example"}
    with engine.begin() as connection:
        account = insert(Account).values(**person, **stamps, password_hash="-", preferences={}, is_active=True)
        plain = {"account_id": connection.execute(account.returning(Account.id)).scalar_one(), **stamps}
        for first in range(0, tasks, 100):
            some = [{"title": f"Task {number}", **plain} for number in range(first, min(first + 100, tasks))]
            connection.execute(insert(table_of(Task)), some)
