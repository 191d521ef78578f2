from pathlib import Path
from shutil import copy

import pytest
from sqlalchemy import Column, Engine, Table, Text, text

from db import schema
from db.migrations import draft
from db.schema import SchemaError, migrate
from tests.db.conftest import engines_of_its_own
from tests.db.throw_away import revisions


@pytest.mark.parametrize("revision", ["0001", "0008"])
def test_tables_of_the_time_before_the_first_version_are_refused(empty_database: Engine, revision: str):
    with empty_database.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})

    with pytest.raises(SchemaError, match="another version's tables"):
        migrate(empty_database)


@pytest.mark.on("sqlite")
def test_what_changed_in_the_models_is_drafted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    for revision, path in revisions().items():
        copy(path, tmp_path / f"{revision}.py")
    monkeypatch.setattr(schema, "FOLDERS", [tmp_path])
    boards = Table("boards", schema.metadata, Column("name", Text, primary_key=True))

    try:
        with engines_of_its_own(f"sqlite:///{tmp_path}/aside.db"):
            draft.draft("add boards")
    finally:
        schema.metadata.remove(boards)

    (drafted,) = tmp_path.glob("*_add_boards.py")
    newest = [*revisions()][-1]
    assert drafted.name.startswith(f"{int(newest[:4]) + 1:04}_fits_{newest[-4:]}_")
    assert 'op.create_table("boards",' in drafted.read_text().replace("'", '"')
    assert "steps.py" in drafted.read_text()


def test_revisions_say_which_servers_run_on_what_they_leave():
    ids = [schema.REVISION.fullmatch(revision) for revision in revisions()]
    numbers = [int(one["number"]) for one in ids if one]
    oldest = [int(one["oldest"]) for one in ids if one]

    assert numbers == list(range(1, len(ids) + 1))
    assert oldest == sorted(oldest)
    assert oldest[0] == 1
    # A server of the release before goes on, and may start again, while the others are renewed.
    assert all(one < number for number, one in zip(numbers[1:], oldest[1:], strict=True))


def test_while_the_models_stay_as_they_are_no_migration_is_drafted(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    versions = Path(draft.__file__).parent / "versions"
    before = {path.name for path in versions.glob("*.py")}

    with engines_of_its_own(f"sqlite:///{tmp_path}/aside.db"):
        draft.draft("change nothing")

    assert {path.name for path in versions.glob("*.py")} == before
    assert "have not changed" in capsys.readouterr().out


def test_no_revision_builds_a_table_anew():
    # That is how Alembic changes SQLite's tables; dropping the old one would delete the rows that refer to it.
    assert [revision for revision, path in revisions().items() if "batch_alter_table" in path.read_text()] == []
