"""What the pages of documentation lead to and name is there."""

import re
from collections import Counter
from pathlib import Path

import pytest

from server.contracts import CONTRACTS
from settings import ROOT

PAGES = [*sorted(ROOT.glob("*.md")), *sorted((ROOT / "docs").glob("*.md"))]
README = ROOT / "README.md"
ABOUT_WHAT_MAY_NOT_BE_THERE = {"CHANGELOG.md", "adding-a-contract.md", "decisions.md"}
"""They tell of what was, or of what somebody is about to write."""

FENCED = re.compile(r"^```.*?^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`[^`]*`")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
LINK = re.compile(r"\]\(([^)\s]+)\)|^\[[^\]]+\]: (\S+)$", re.MULTILINE)
REFERENCE = re.compile(r"\]\[([^\]]+)\]")
DEFINED = re.compile(r"^\[([^\]]+)\]: ", re.MULTILINE)
FOLDERS = "tests|server|security|db|handlers|language|openapi|tools|docs|benchmarks"
NAMED_FILE = re.compile(rf"`((?:{FOLDERS})/[\w./-]*)`")
NAMED_TARGET = re.compile(r"`make ([a-z-]+)")
TREE_LINE = re.compile(r"^( *)([\w./]+)  ")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def words_of(page: Path) -> str:
    """Return a page without code."""
    return SPAN.sub("", FENCED.sub("", page.read_text()))


def anchors_of(page: Path) -> set[str]:
    """Return the anchors that a host of repositories gives a page's headings."""
    headings = HEADING.findall(FENCED.sub("", page.read_text()))
    slugs = [re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings]
    assert [slug for slug, count in Counter(slugs).items() if count > 1] == []
    return set(slugs)


@each_page
def test_its_links_lead_somewhere(page: Path):
    links = [inline or defined for inline, defined in LINK.findall(words_of(page))]
    within = [link.partition("#") for link in links if not re.match(r"[a-z]+:", link)]

    places = [(page.parent / name if name else page, anchor) for name, _, anchor in within]

    assert [place for place, _ in places if not place.exists()] == []
    assert [(place.name, anchor) for place, anchor in places if anchor and anchor not in anchors_of(place)] == []


@each_page
def test_the_references_it_uses_are_defined(page: Path):
    assert set(REFERENCE.findall(words_of(page))) == set(DEFINED.findall(words_of(page)))


@each_page
def test_the_commands_it_names_are_there(page: Path):
    named = set() if page.name in ABOUT_WHAT_MAY_NOT_BE_THERE else set(NAMED_TARGET.findall(page.read_text()))
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert named <= targets


@each_page
def test_the_files_it_names_are_there(page: Path):
    named = set() if page.name in ABOUT_WHAT_MAY_NOT_BE_THERE else set(NAMED_FILE.findall(page.read_text()))

    assert [name for name in named if not (ROOT / name).exists()] == []


def test_the_readme_names_what_the_house_is_made_of():
    (tree,) = re.findall(r"^```\n(app\.py .*?)^```$", README.read_text(), re.MULTILINE | re.DOTALL)
    folder, named = "", []
    for indent, name in (line.groups() for line in map(TREE_LINE.match, tree.splitlines()) if line):
        folder = folder if indent else name
        named.append(f"{folder}{name}" if indent else name)

    assert [name for name in named if not (ROOT / name).exists()] == []
    assert {path.name for path in ROOT.glob("*.py")} <= set(named)


def test_the_readme_has_the_base_path_and_the_file_of_a_contract_right():
    rows = re.findall(r"^\| \w+ \| `(.+?)` \| `openapi/(\w+)\.yaml` \|", README.read_text(), re.MULTILINE)

    assert len(rows) >= 5
    assert set(rows) <= {(contract.base_path, contract.name) for contract in CONTRACTS}
