"""The trial of `make migration-trial`, over fewer tasks: what took how long depends on the machine, and is left out."""

from pathlib import Path

import pytest
from sqlalchemy import Engine

from db import schema
from tests.trials import migrations
from tests.trials.migrations import SAMPLES, run
from tests.trials.people import looking_at


@pytest.mark.on("postgresql")
def test_tasks_are_read_and_written_while_the_schema_changes(
    empty_database: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(schema, "PAUSE_SECONDS", 0)
    monkeypatch.setattr(migrations, "REPORT_SECONDS", 0.01)

    with looking_at(empty_database.url.render_as_string(hide_password=False)) as others:
        seen = dict(run(empty_database, others, tmp_path, tasks=3_000))

    assert set(SAMPLES) <= set(seen)
    assert [one.errors for one in seen.values() if one.errors] == []
    assert all(one.writes for one in seen.values())
