"""The way of a request, as `docs/request.md` has it, and how long it may be."""

import json
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

from settings import ROOT
from tests.process.walk import Call

MOST_CALLS = 95
MOST_CHANGES_OF_MODULE = 45

STEP = re.compile(r"^\d+\. `([^`]+)`\s+`([^`]+)`:", re.MULTILINE)


def calls_of_a_get(database_url: str) -> list[Call]:
    """Return the calls of a GET on an empty database, recorded by a process of its own."""
    command = [sys.executable, "-W", "ignore", "-m", "tests.process.walk", database_url]
    return [tuple(one) for one in json.loads(subprocess.check_output(command, cwd=ROOT, text=True))]


def assert_short(calls: list[Call]) -> None:
    assert len(calls) <= MOST_CALLS
    assert sum(one[0] != other[0] for one, other in pairwise(calls)) <= MOST_CHANGES_OF_MODULE


def test_on_postgresql_a_request_takes_the_documented_way(new_database: str):
    calls = calls_of_a_get(new_database)

    walked = [(path, function) for path, function, begins in calls if begins and "comp>" not in function]
    assert STEP.findall((ROOT / "docs" / "request.md").read_text()) == walked
    assert_short(calls)


def test_on_sqlite_the_way_of_a_request_is_as_short(tmp_path: Path):
    assert_short(calls_of_a_get(f"sqlite:///{tmp_path}/quintet.db"))
