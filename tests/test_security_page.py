"""docs/security.md leaves no requirement out, and names tests and modules that there are."""

import re
from collections import Counter

from settings import ROOT

PAGE = (ROOT / "docs" / "security.md").read_text()
VERDICTS = {"holds", "forced", "gap", "operator", "n/a"}

LEVEL_2 = {
    "1": (2, 9, 11, 3, 2),
    "2": (3, 3, 4, 1),
    "3": (0, 2, 4, 6, 5, 0, 2),
    "4": (3, 1, 2, 4),
    "5": (1, 3, 2, 3),
    "6": (3, 12, 4, 4, 5, 3, 0, 4),
    "7": (3, 4, 2, 5, 2, 2),
    "8": (2, 3, 1, 1),
    "9": (3, 4),
    "10": (2, 2, 4, 11, 5, 2, 3),
    "11": (2, 3, 3, 4, 1, 1, 0),
    "12": (3, 2, 4),
    "13": (1, 5, 2, 5),
    "14": (2, 4, 3),
    "15": (3, 3, 7, 0),
    "16": (1, 5, 4, 3, 3),
    "17": (1, 4, 2),
}
"""How many requirements of levels 1 and 2 each section of ASVS 5.0.0 has; they come first in it."""

ROW = re.compile(r"^\| ([0-9][0-9.,\u2013 ]*) \| ([\w/]+) \| .+ \|$", re.MULTILINE)
RANGE = re.compile(r"(\d+\.\d+)\.(\d+)(?:\u2013(\d+\.\d+)\.(\d+))?")


def told() -> Counter[str]:
    """Count how often the page tells of each requirement."""
    ranges = [one for row in ROW.finditer(PAGE) for one in RANGE.findall(row[1])]
    assert [one for one in ranges if one[2] not in {"", one[0]}] == []
    return Counter(
        f"{section}.{number}"
        for section, first, _, last in ranges
        for number in range(int(first), int(last or first) + 1)
    )


def test_each_requirement_of_level_two_is_told_of_once():
    stated = [
        f"{chapter}.{section}.{number}"
        for chapter, counts in LEVEL_2.items()
        for section, count in enumerate(counts, 1)
        for number in range(1, count + 1)
    ]

    assert len(stated) == 253
    assert told() == Counter(stated)


def test_each_has_a_verdict_that_the_page_explains():
    assert {row[2] for row in ROW.finditer(PAGE)} == VERDICTS


def test_what_the_page_names_is_there():
    folders = "tests|server|security|db|handlers|language|openapi|tools"
    named = set(re.findall(rf"`((?:{folders})/[\w./-]*)`", PAGE))

    assert len(named) > 40
    assert [name for name in named if not (ROOT / name).exists()] == []
