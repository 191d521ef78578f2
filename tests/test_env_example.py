"""`.env.example` has every setting with its default, and so has the README's table."""

import re
from io import StringIO

import pytest
from dotenv import dotenv_values

from settings import ROOT, read_settings
from tests.readme import README

pytestmark = pytest.mark.usefixtures("own_folder")

EXAMPLE = (ROOT / ".env.example").read_text()

SET = re.compile(r"^#(?=[A-Z_]+=)", re.MULTILINE)
ROW = re.compile(r"^\| (`[A-Z_]+`(?:, `[A-Z_]+`)*) \| (.+?) \| .+ \|$", re.MULTILINE)
CODE = re.compile(r"`([^`]+)`")


class Asked(dict[str, str]):
    """An environment in which nothing is set, and which notes what it is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def get(self, name: str, default: object = None) -> object:  # type: ignore[override]
        self.names.add(name)
        return default

    def __contains__(self, name: object) -> bool:
        self.names.add(str(name))
        return False


def in_example() -> dict[str, str | None]:
    """Read the example as python-dotenv does once each setting counts."""
    return dotenv_values(stream=StringIO(SET.sub("", EXAMPLE)))


def in_readme() -> dict[str, str]:
    """Return the default of each variable in the README's table, in its words."""
    found: dict[str, str] = {}
    for names, defaults in ROW.findall(README):
        each = CODE.findall(names)
        found |= zip(each, defaults.split(", ", len(each) - 1), strict=True)
    return found


def test_the_example_and_the_readme_have_each_setting():
    asked = Asked()
    read_settings(asked)

    assert list(in_example()) == list(in_readme())
    assert set(in_example()) == asked.names


def test_what_the_example_sets_is_the_default():
    assert read_settings({name: value or "" for name, value in in_example().items()}) == read_settings({})


def test_as_it_is_the_example_sets_nothing():
    assert dotenv_values(stream=StringIO(EXAMPLE)) == {}


def test_a_default_that_the_readme_writes_as_a_value_is_the_one_of_the_example():
    values = {name: code[1] for name, default in in_readme().items() if (code := CODE.fullmatch(default))}

    assert len(values) > 6
    assert {name: in_example()[name] for name in values} == values


def test_the_example_explains_each_setting():
    groups = EXAMPLE.strip().split("\n\n")[1:]

    assert [group for group in groups if not re.fullmatch(r"# .+\n(#[A-Z_]+=.*\n?)+", group)] == []
