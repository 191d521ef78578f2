"""The trial of `make crash` with a single kill on each database."""

from pathlib import Path

import pytest

from tests.trials.crash import Trial, crash
from tests.trials.people import database, sign_as_the_server

KILLED = Trial("server", "sqlite"), Trial("PostgreSQL", "postgresql")


@pytest.mark.parametrize("killed", KILLED, ids=lambda one: one.killed)
def test_what_was_acknowledged_is_there_after_a_kill(killed: Trial, tmp_path: Path):
    sign_as_the_server()

    with database(killed.kind) as (url, postgresql):
        crash(killed, url, tmp_path / "log", postgresql, times=1)

    assert (killed.kills, killed.wrong) == (1, [])
    assert killed.ledger.counts.total() > 0
