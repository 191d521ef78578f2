"""Requests counted by several processes in one place."""

import os
import signal
from datetime import timedelta
from fcntl import LOCK_EX, lockf
from multiprocessing import get_context

import pytest

from security import shared_counts
from security.shared_counts import SharedCounts

NOW = 1_800_000_000.0
spawn = get_context("spawn")


def count_many(counts: SharedCounts, caller: str, times: int) -> None:
    for _ in range(times):
        counts.count(caller, at=NOW, window=60)


def die_while_counting(counts: SharedCounts) -> None:
    lockf(counts.memory.fd, LOCK_EX)
    os.kill(os.getpid(), signal.SIGKILL)


def test_each_caller_is_counted_for_itself():
    counts = SharedCounts()

    counted = [counts.count(caller, at=NOW, window=60)[0] for caller in ("maya", "noor", "maya", "maya")]

    assert counted == [1, 1, 2, 3]


def test_a_window_begins_with_the_first_request_and_ends_for_the_next_one():
    counts = SharedCounts()

    counted = [counts.count("maya", at=NOW + seconds, window=60) for seconds in (0, 59.9, 60)]

    assert counted == [(1, NOW + 60), (2, NOW + 60), (1, NOW + 120)]


def test_a_process_that_comes_a_little_late_with_its_request_counts_on():
    counts = SharedCounts()
    counts.count("maya", at=NOW, window=60)

    assert counts.count("maya", at=NOW - 1, window=60) == (2, NOW + 60)


def test_a_clock_that_is_set_back_lengthens_no_window():
    counts = SharedCounts()
    counts.count("maya", at=NOW, window=60)

    assert counts.count("maya", at=NOW - timedelta(hours=1).total_seconds(), window=60)[0] == 1


def test_where_there_is_no_room_the_caller_whose_window_ends_first_is_forgotten(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(shared_counts, "SETS", 1)
    counts = SharedCounts()
    callers = [f"caller {number}" for number in range(shared_counts.ENTRIES_OF_A_SET + 1)]
    for seconds, caller in enumerate(callers):
        counts.count(caller, at=NOW + seconds, window=60)

    again = [counts.count(caller, at=NOW + 30, window=60)[0] for caller in (callers[-1], callers[2], callers[0])]

    assert again == [2, 2, 1]


def test_processes_lose_no_count_to_each_other():
    counts = SharedCounts()
    processes = [spawn.Process(target=count_many, args=(counts, "maya", 2_000)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join()

    assert counts.count("maya", at=NOW, window=60)[0] == 4_001


def test_a_process_that_is_killed_while_it_counts_keeps_nobody_waiting():
    counts = SharedCounts()
    process = spawn.Process(target=die_while_counting, args=(counts,))
    process.start()
    process.join()

    assert process.exitcode == -signal.SIGKILL
    assert counts.count("maya", at=NOW, window=60)[0] == 1
