"""Drafts a migration by comparing the models with the migrations so far: `make migration M="…"`."""

import sys
from tempfile import TemporaryDirectory

from alembic import command
from alembic.script import ScriptDirectory

from db.schema import config_for, migrate
from db.sql.engine import connect


def draft(message: str) -> None:
    """Write the next revision; review it before committing it."""
    with TemporaryDirectory() as folder:
        engine = connect(f"sqlite:///{folder}/draft.db")
        migrate(engine)
        with engine.connect() as connection:
            config = config_for(connection)
            revisions = len(list(ScriptDirectory.from_config(config).walk_revisions()))
            command.revision(config, message, autogenerate=True, rev_id=f"{revisions + 1:04}")


if __name__ == "__main__":
    draft(sys.argv[1])
