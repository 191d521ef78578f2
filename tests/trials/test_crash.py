"""The trial of `make crash` with a single kill each."""

from pathlib import Path

import pytest

from tests.trials.crash import Trial, crash
from tests.trials.people import database, sign_as_the_server


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
def test_a_killed_server_loses_nothing_that_it_acknowledged(kind: str, tmp_path: Path):
    sign_as_the_server()
    trial = Trial("server", kind)

    with database(kind) as (url, _):
        crash(trial, url, tmp_path / "log", None, times=1)

    assert (trial.kills, trial.wrong) == (1, [])
    assert trial.ledger.counts.total() > 0


def test_a_killed_postgresql_loses_nothing_that_it_acknowledged(tmp_path: Path):
    sign_as_the_server()
    trial = Trial("PostgreSQL", "postgresql")

    with database("postgresql") as (url, postgresql):
        crash(trial, url, tmp_path / "log", postgresql, times=1)

    assert (trial.kills, trial.wrong) == (1, [])
    assert trial.ledger.counts.total() > 0
