"""Revisions that tests write, after those that there are."""

from collections.abc import Sequence
from pathlib import Path

from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from db import schema
from db.schema import REVISION

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

ACCOUNT = text(
    "INSERT INTO accounts (uuid, username, username_key, email, email_key, password_hash, preferences, is_active,"
    " created_at, updated_at) VALUES (gen_random_uuid(), 'maya', 'maya', 'm@q.example', 'm@q.example', '-', '{}',"
    " true, now(), now())"
)
TASKS = text(
    "INSERT INTO tasks (account_id, uuid, title, title_key, status, priority, due_at, created_at, updated_at)"
    " SELECT (SELECT max(id) FROM accounts), gen_random_uuid(), 'Task ' || n, 'task ' || n, 1, 1 + n % 3,"
    " now() + n * interval '1 minute', now() - n * interval '1 second', now() FROM generate_series(1, :tasks) n"
)


def head() -> str:
    """Return the newest revision there is."""
    config = Config()
    config.set_main_option("script_location", str(schema.MIGRATIONS))
    return str(ScriptDirectory.from_config(config).get_current_head())


def write_revisions(folder: Path, bodies: Sequence[str]) -> list[str]:
    """Write a revision for each body into a folder, and return their ids."""
    revisions = [head()]
    for body in bodies:
        before = revisions[-1]
        number = int(before[:4]) + 1
        oldest = number - 1 if body.startswith(CONTRACTION) else int(before[-4:])
        revisions.append(f"{number:04}_fits_{oldest:04}")
        assert REVISION.fullmatch(revisions[-1])
        text = TEXT.format(revision=revisions[-1], before=before, body=body.replace("\n", "\n    "))
        (folder / f"{revisions[-1]}.py").write_text(text)
    return revisions[1:]


def fill(engine: Engine, tasks: int) -> None:
    """Add an account that has so many tasks."""
    with engine.connect().execution_options(isolation_level="READ COMMITTED") as connection:
        connection.execute(text("SET LOCAL statement_timeout = 0"))
        connection.execute(ACCOUNT)
        connection.execute(TASKS, {"tasks": tasks})
        connection.commit()
