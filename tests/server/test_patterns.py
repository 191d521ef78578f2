import httpx
import pytest

from language.texts import trimmed
from server.validation.schemas import validator_for

NOT_BLANK = {"type": "string", "pattern": r"^[^\u0000]*[^\s\u0000][^\u0000]*$"}
BLANK = {"type": "string", "pattern": r"^\s*$"}

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
