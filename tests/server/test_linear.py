"""Whatever text a client sends, its check takes time in proportion to its length."""

import re
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from itertools import pairwise, product
from sys import modules
from time import thread_time
from typing import Any

import httpx
import pytest

from language.errors import BadInput
from language.formats import FORMATS
from language.patterns import compiled
from server.contracts import CONTRACTS
from tests.conftest import Person, once
from tests.contract_walk import written_schemas
from tests.operations import Operation, code_of, for_each, request_of
from tests.server.test_formats import GOOD

PATTERNS = sorted(
    {schema["pattern"] for contract in CONTRACTS for _, schema in written_schemas(contract) if "pattern" in schema}
)
OWN = {
    f"{module}.{name}": value
    for module in sorted(modules)
    if module.partition(".")[0] in {"language", "names", "security", "server"}
    for name, value in vars(modules[module]).items()
    if isinstance(value, re.Pattern)
}
"""The regular expressions of all modules that read what clients send."""

LENGTHS = (1_000, 10_000, 100_000, 1_000_000)
LEAST_SECONDS = 50e-9
"""What a character may cost in any case; less than that says more about a clock and a cache than about an algorithm."""

UNITS = ("a", " ", "0", "!", ".", "\0", "\\", "😀", "a ", "Aa", '"["')
ENDS = ("", "\0", "@")

NAMES = {"title", "name", "username", "plant_type"}

takes_a_name = for_each(lambda operation: NAMES & set(operation.members))

Write = Callable[[int], str]
Run = Callable[[Any], object]


def write(start: str, unit: str, end: str, length: int) -> str:
    """Write a text that is the same all along, but for its beginning and its end."""
    return start + unit * (length // len(unit)) + end


def all_kinds(*starts: str) -> list[Write]:
    return [partial(write, *parts) for parts in product(("", *starts), UNITS, ENDS)]


def slow_kinds(run: Run, kinds: list[Write], lengths: tuple[int, ...] = LENGTHS) -> list[str]:
    """List the kinds of text, ten characters of each, that take more than linear time."""
    return [ascii(kind(10)) for kind in kinds if any(grows(run, kind, *two) for two in pairwise(lengths))]


def grows(run: Run, kind: Write, short: int, long: int) -> bool:
    """Check whether a character costs more in a long text than in a short one, each time anew."""
    return all(cost(run, kind(long)) > 4 * max(cost(run, kind(short)), LEAST_SECONDS) for _ in range(5))


def cost(run: Run, text: str) -> float:
    """Measure the seconds of CPU time that a character costs."""
    started = thread_time()
    run(text)
    return (thread_time() - started) / len(text)


def refused_or_read(parse: Run, text: str) -> None:
    with suppress(ValueError, OverflowError):
        parse(text)


def test_what_is_not_linear_is_noticed():
    quadratic = re.compile(r"^[^\0]*[^\s\0][^\0]*$")

    assert slow_kinds(quadratic.search, [partial(write, "", "a", "\0")], (500, 5_000)) == [ascii("a" * 10 + "\0")]


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_takes_linear_time(pattern: str):
    assert slow_kinds(compiled(pattern).matches, all_kinds()) == []


@pytest.mark.parametrize("pattern", PATTERNS)
def test_a_pattern_takes_linear_time_in_the_engines_of_clients_too(pattern: str):
    # Python's engine tries one way after the other, as those of browsers do.
    assert slow_kinds(re.compile(pattern).search, all_kinds(), LENGTHS[:3]) == []


@pytest.mark.parametrize("name", FORMATS)
def test_a_format_takes_linear_time(name: str):
    kinds = all_kinds(*{sample[:8] for sample in GOOD[name]}, *GOOD[name][-2:], "a@", "a@b.", "2026-01-31T12:00:00.")

    assert slow_kinds(partial(refused_or_read, FORMATS[name].parse), kinds, LENGTHS) == []


@pytest.mark.parametrize("name", OWN)
def test_an_expression_of_our_own_takes_linear_time(name: str):
    searches = (OWN[name].search, OWN[name].fullmatch)
    of_bytes = isinstance(OWN[name].pattern, bytes)

    for search in searches:
        run: Run = (lambda text, find=search: find(text.encode())) if of_bytes else search
        assert slow_kinds(run, all_kinds("2026-01-31T12:00:00.", '"'), LENGTHS[:3]) == []


@once
@takes_a_name
def test_a_text_of_a_mebibyte_is_refused_at_once(operation: Operation, person: Person):
    response = send_name(operation, person, "a" * 1_048_576 + "\0")

    assert code_of(response) == (413, "payload_too_large")


@once
@takes_a_name
def test_a_text_that_is_too_long_is_refused_for_its_length_alone(operation: Operation, person: Person):
    response = send_name(operation, person, "a" * 15_000 + "\0")

    assert code_of(response) == (operation.contract.status_of(BadInput), "bad_input")
    assert "must have at most" in response.text
    assert [words for words in ("must hold", "must not hold", "must be made of") if words in response.text] == []


def send_name(operation: Operation, person: Person, text: str) -> httpx.Response:
    """Send a request with a text in its first member that is a name."""
    request = request_of(operation, person)
    member = next(one for one in operation.members if one in NAMES)
    return person.client.request(**request | {"json": request["json"] | {member: text}})
