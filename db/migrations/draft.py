"""Drafts a migration by comparing the models with the migrations so far: `make migration M="…"`."""

import sys
from tempfile import TemporaryDirectory
from typing import Any

from alembic import command
from alembic.script import ScriptDirectory

from db.schema import config_for, migrate
from db.sql.engine import connect


def draft(message: str) -> None:
    """Write the next revision, if the models have changed; review it before committing it."""
    with TemporaryDirectory() as folder:
        engine = connect(f"sqlite:///{folder}/draft.db")
        migrate(engine)
        with engine.connect() as connection:
            config = config_for(connection)
            newest = ScriptDirectory.from_config(config).get_current_head() or "0000_fits_0001"
            number = f"{int(newest[:4]) + 1:04}{newest[4:]}"
            command.revision(config, message, autogenerate=True, rev_id=number, process_revision_directives=_review)


def _review(_context: object, _revision: object, scripts: list[Any]) -> None:
    # Alembic would write a migration that does nothing.
    if scripts[0].upgrade_ops.is_empty():
        scripts.clear()
        print("The models have not changed since the last migration: none is written.")
    else:
        print("Change tables that hold rows by the steps of db/migrations/steps.py: see docs/operations.md.")


if __name__ == "__main__":
    if len(sys.argv) != 2 or not sys.argv[1].strip():  # noqa: PLR2004 (the program and its one argument)
        sys.exit('Say what the migration does: make migration M="add a color to tasks"')
    draft(sys.argv[1])
