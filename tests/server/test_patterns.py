import re
from itertools import product

import httpx
import pytest
import re2

from language.patterns import Pattern, compiled
from language.texts import trimmed
from server.validation.schemas import validator_for

NOT_BLANK = {"type": "string", "pattern": r"^\s*[^\s\u0000][^\u0000]*$"}
BLANK = {"type": "string", "pattern": r"^\s*$"}

OF_ANY_KIND = r"^[^\u0000]*[^\s\u0000][^\u0000]*$"
WITH_LOOKAHEAD = r"^(?=[^\u0000]*[A-Z])(?=[^\u0000]*[0-9])(?=[^\u0000]*[^A-Za-z0-9\s\u0000])[^\u0000]*$"
"""What is shorter to write, but takes other than linear time."""

# What Python's own `\s` takes the other way round than ECMA 262.
OF_ECMA_ALONE = ["\ufeff"]
OF_PYTHON_ALONE = ["\x1c", "\x1d", "\x1e", "\x1f", "\x85"]


@pytest.mark.parametrize("text", [" ", "\t\r\n\v\f", "\xa0", "\u1680", "\u2003", "\u2028", "\u3000", *OF_ECMA_ALONE])
def test_white_space_is_what_it_is_in_browsers(text: str):
    assert not validator_for(NOT_BLANK).is_valid(text)
    assert validator_for(BLANK).is_valid(text)
    assert trimmed(f"{text}a{text}") == "a"


@pytest.mark.parametrize("text", ["a", " a ", "\u200b", *OF_PYTHON_ALONE])
def test_anything_else_is_a_text(text: str):
    assert validator_for(NOT_BLANK).is_valid(text)
    assert not validator_for(BLANK).is_valid(text)
    assert trimmed(text) != ""


@pytest.mark.parametrize("name", OF_PYTHON_ALONE)
def test_a_name_of_what_is_white_space_to_python_alone_is_kept(client: httpx.Client, name: str):
    tag = client.post("/v1/tags", json={"name": f"{OF_ECMA_ALONE[0]}{name}"})
    renamed = client.put(f"/v1/tags/{tag.json()['id']}", json={"name": f"{name}b "})
    task = client.post("/v1/tasks", json={"title": "a", "tags": [f" {name}"]})
    category = client.post("/api/v1/categories", json={"name": f"{name} "})

    assert (tag.json()["name"], renamed.json()["name"]) == (name, f"{name}b")
    assert [one["name"] for one in task.json()["tags"]] == [name]
    assert category.json()["name"] == name


def test_the_end_of_a_pattern_is_the_end_of_the_text():
    digits = validator_for({"type": "string", "pattern": "^[0-9]+$"})

    assert digits.is_valid("12")
    assert not digits.is_valid("12\n")


def test_a_pattern_of_what_is_not_blank_means_what_it_says():
    pattern = compiled(NOT_BLANK["pattern"])

    assert all(pattern.matches(text) == bool(re.search(OF_ANY_KIND, text)) for text in short_texts("a \t\0é", 6))


@pytest.mark.parametrize("pattern", [WITH_LOOKAHEAD, r"^(a)\1$", "^(?<=a)b$"])
def test_a_pattern_that_would_take_more_than_linear_time_is_refused(pattern: str):
    with pytest.raises(re2.error):
        Pattern(pattern)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"^\u00e9$", "é"),
        (r"^[\u0020-\u00e9]$", "é"),
        ("^[^a]$", "\U0010ffff"),
        (r"^\\u0041$", "\\u0041"),
        (r"^\s[\s]$", "\u3000\ufeff"),
        (r"^\[\s\]$", "[\u2028]"),
        ("^é{2}$", "éé"),
        (r"^[^\s]$", "😀"),
    ],
)
def test_a_pattern_is_of_characters_and_not_of_bytes(pattern: str, text: str):
    assert compiled(pattern).matches(text)
    assert not compiled(pattern).matches(f"{text}\n")


def test_half_a_surrogate_pair_is_read_like_a_character():
    assert compiled("^[^a]$").matches("\ud800")


def short_texts(characters: str, most: int) -> list[str]:
    return ["".join(text) for length in range(most + 1) for text in product(characters, repeat=length)]
