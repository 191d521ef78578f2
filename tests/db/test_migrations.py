from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from db.migrations import draft
from db.schema import SchemaError, migrate
from tests.db.conftest import engines_of_its_own


@pytest.mark.parametrize("revision", ["0001", "0008"])
def test_tables_of_the_time_before_the_first_version_are_refused(empty_database: Engine, revision: str):
    with empty_database.begin() as connection:
        connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        connection.execute(text("INSERT INTO alembic_version VALUES (:revision)"), {"revision": revision})

    with pytest.raises(SchemaError, match="another version's tables"):
        migrate(empty_database)


def test_while_the_models_stay_as_they_are_no_migration_is_drafted(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    versions = Path(draft.__file__).parent / "versions"
    before = {path.name for path in versions.glob("*.py")}

    with engines_of_its_own(f"sqlite:///{tmp_path}/aside.db"):
        draft.draft("change nothing")

    assert {path.name for path in versions.glob("*.py")} == before
    assert "have not changed" in capsys.readouterr().out
