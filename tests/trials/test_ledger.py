"""What the trials' own ledger takes for lost: a trial that never finds anything shows nothing."""

import pytest

from tests.trials.ledger import Ledger


def asked_in_vain(ledger: Ledger, kind: str, name: str, value: object) -> None:
    with pytest.raises(ConnectionError), ledger.asking(kind, name, value):
        raise ConnectionError


def test_an_acknowledged_write_that_is_not_kept_is_lost():
    ledger = Ledger()
    with ledger.asking("task", "a", "first"):
        pass

    assert len(ledger.differences({})) == 1


def test_a_write_that_was_not_acknowledged_is_done_or_not():
    for kept in ({}, {("task", "a"): "first"}):
        ledger = Ledger()
        asked_in_vain(ledger, "task", "a", "first")

        assert ledger.differences(kept) == []


def test_a_write_that_was_not_acknowledged_is_not_done_by_half():
    ledger = Ledger({("recurring task", "a"): (1, 0, 1, 1)})
    asked_in_vain(ledger, "recurring task", "a", (2, 1, 2, 2))

    assert len(ledger.differences({("recurring task", "a"): (2, 1, 1, 1)})) == 1


def test_a_session_that_was_asked_for_may_be_there_under_any_name():
    ledger = Ledger()
    asked_in_vain(ledger, "new session", "somebody", None)

    assert len(ledger.differences({("session", "a"): "open", ("session", "b"): "open"})) == 1


def test_what_nobody_asked_for_is_found():
    assert len(Ledger().differences({("task", "a"): "first"})) == 1
