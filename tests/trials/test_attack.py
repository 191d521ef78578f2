"""The short form of `make attack`."""

import asyncio
from pathlib import Path

import pytest

from tests.trials import hostile
from tests.trials.attack import Report, under_attack
from tests.trials.people import database
from tests.trials.target import fill, target_at

CONNECTIONS = 60
IMPATIENT = """
from server.edge import deadlines
deadlines.HEAD_SECONDS, deadlines.BODY_SECONDS, deadlines.SEND_SECONDS = 1, 2, 2
import app
app.main([])
"""
"""The server as it is, with a tenth of its patience: this test is to take seconds."""

DEPENDS_ON_THE_MACHINE = ("their median / p99 / longest", "SIGTERM under that load")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="memory is read from /proc")
def test_under_attack_others_are_served_and_nothing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    report = Report()
    monkeypatch.setattr(hostile, "PIPELINED", 200)

    with database("sqlite") as (url, _):
        token = fill(url, todos=500)
        with target_at(url, token, tmp_path / "log", program=("-c", IMPATIENT)) as target:
            asyncio.run(under_attack(target, report, CONNECTIONS, seconds=4))
            is_gone = target.process.poll() is not None

    broken = [row for row in report.rows if not row[-1] and row[0] not in DEPENDS_ON_THE_MACHINE]
    assert broken == []
    assert is_gone
