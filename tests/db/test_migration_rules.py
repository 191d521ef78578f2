"""Each revision after the first one keeps to the rule of `docs/operations.md`, and whatever breaks it is seen."""

from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import Engine

from db import schema
from db.schema import migrate
from tests.db.conftest import engines_of_its_own
from tests.db.migration_rules import breaches, recording
from tests.db.throw_away import CONTRACTION, fill, write_revisions

pytestmark = pytest.mark.on("postgresql")

BAD = {
    "an index is created CONCURRENTLY": 'op.create_index("ix_tasks_due", "tasks", ["due_at"])',
    "an index is dropped CONCURRENTLY": 'op.drop_index("ix_tasks_due", "tasks")',
    "no table is locked as a whole": 'op.execute("LOCK TABLE tasks")',
    "statements are not hidden in a program": 'op.execute("DO $$ BEGIN PERFORM 1; END $$")',
    "a new column may be null, or has a constant default": (
        'op.add_column("plants", sa.Column("bad_color", sa.String(7), nullable=False))',
        'op.add_column("tasks", sa.Column("seen_at", sa.DateTime(), server_default=sa.text("clock_timestamp()")))',
    ),
    "a new column is not computed for the rows there are": (
        'op.add_column("tasks", sa.Column("dated", sa.Boolean(), sa.Computed("due_at IS NOT NULL", persisted=True)))',
        'op.execute("ALTER TABLE tasks ADD COLUMN place BIGSERIAL")',
    ),
    "a new column gets its constraints afterwards": (
        'op.execute("ALTER TABLE tasks ADD COLUMN rank SMALLINT CHECK (rank > 0)")',
        'op.execute("alter table tasks add column code text unique")',
    ),
    "a constraint is added NOT VALID": (
        'op.create_check_constraint("title_short", "tasks", "length(title) < 500")',
        'op.create_foreign_key("fk_plain", "plants", "tasks", ["plant_num"], ["id"])',
    ),
    "a constraint is added USING INDEX": 'op.create_unique_constraint("uq_tasks_twice", "tasks", ["id", "uuid"])',
    "a column keeps its type": 'op.alter_column("tasks", "title", type_=sa.Text())',
    "nothing is renamed": (
        'op.alter_column("plants", "bad_color", new_column_name="tint")',
        'op.rename_table("plants", "flowers")',
    ),
    "what servers use goes in a contraction": (
        'op.drop_column("tasks", "repeated_at")',
        'op.drop_table("focus_items")',
        'op.alter_column("tasks", "title_key", server_default=None)',
    ),
    "rows are changed in batches": (
        'op.execute("UPDATE tasks SET priority = 1")',
        'op.execute("UPDATE tasks SET priority = 2 WHERE id <= 1000000")',
        'op.execute("DELETE FROM tasks")',
    ),
    "a column is made NOT NULL after a validated check": 'op.alter_column("tasks", "due_at", nullable=False)',
    "a constraint is validated in a transaction of its own": (
        'op.execute("ALTER TABLE tasks ADD CONSTRAINT later CHECK (id > 0) NOT VALID")\n'
        'op.execute("ALTER TABLE tasks VALIDATE CONSTRAINT later")'
    ),
    "nobody waits for a lock without a timeout": (
        'op.execute("SET LOCAL lock_timeout = 0"); op.add_column("tasks", sa.Column("color", sa.String(7)))'
    ),
}
"""What a revision may say, by the rule that it breaks. They run one after the other."""

GOOD = {
    "a table, and all that belongs to it": (
        'op.create_table("boards", sa.Column("id", sa.Integer(), primary_key=True), sa.Column("name", sa.Text()))\n'
        'op.create_index("ix_boards_name", "boards", ["name"])\n'
        'op.execute("UPDATE boards SET name = name")'
    ),
    "a column that may be null": 'op.add_column("tasks", sa.Column("tint", sa.String(7)))',
    "a column with a constant default": (
        'op.add_column("tasks", sa.Column("weight", sa.SmallInteger(), nullable=False, server_default="1"))'
    ),
    "an index": 'steps.create_index("ix_tasks_tint", "tasks", ["account_id", "tint"])',
    "an index the less": 'steps.drop_index("ix_tasks_tint", "tasks")',
    "batches": (
        'tasks = sa.table("tasks", sa.column("id"), sa.column("tint"))\n'
        'steps.in_batches("tasks", lambda some: op.execute(sa.update(tasks).where(some).values(tint="red")))'
    ),
    "a check": 'steps.add_check("tint_given", "tasks", "tint IS NOT NULL")',
    "a column that is never null": 'op.alter_column("tasks", "tint", nullable=False)',
    "a column the less": f'{CONTRACTION}\nop.drop_column("tasks", "tint")',
}


def in_a_row(forms: dict[str, str | tuple[str, ...]]) -> list[tuple[str, str]]:
    return [
        (name, body) for name, bodies in forms.items() for body in ([bodies] if isinstance(bodies, str) else bodies)
    ]


@pytest.fixture(scope="module")
def refused(new_database: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """What is found in revisions of all these forms, by what they say."""
    forms = [body for _, body in in_a_row(GOOD | BAD)]
    return dict(zip(forms, seen(new_database("rules"), tmp_path_factory.mktemp("rules"), forms), strict=True))


def seen(url: str, folder: Path, forms: list[str]) -> list[list[str]]:
    """Run a revision of each form, over some thousand tasks, and list what rules it breaks."""
    with pytest.MonkeyPatch.context() as patch, engines_of_its_own(url) as engine:
        migrate(engine)
        fill(engine, 2_500)
        patch.setattr(schema, "FOLDERS", [*schema.FOLDERS, folder])
        written = write_revisions(folder, forms)
        with recording(engine) as record:
            migrate(engine)
        found = breaches({"0001_fits_0001": [], **record.revisions})
    return [found[revision] for revision in written]


@pytest.mark.parametrize(("rule", "form"), in_a_row(BAD))
def test_a_revision_that_would_keep_requests_waiting_is_refused(refused: dict[str, list[str]], rule: str, form: str):
    assert rule in refused[form]


@pytest.mark.parametrize("form", GOOD.values(), ids=GOOD.keys())
def test_a_revision_that_lets_requests_through_passes(refused: dict[str, list[str]], form: str):
    assert refused[form] == []


def test_every_revision_after_the_first_lets_requests_through(empty_database: Engine):
    with recording(empty_database) as record:
        migrate(empty_database)

    assert [name for name, found in breaches(record.revisions).items() if found] == []
