"""What the YAML files must not say, since Connexion 3.3.0 would read it otherwise than it is meant."""

from collections.abc import Iterator
from typing import Any

import pytest
from connexion.http_facts import METHODS

from server.contracts import CONTRACTS, Contract
from server.formats import formats

SAMPLES = {"example", "examples", "default", "enum"}
ONLY_NAMED = {"int32", "int64", "uri-reference"}
"""Formats that bounds or the server's own care stand for."""


@pytest.fixture(params=CONTRACTS, ids=lambda contract: contract.name)
def contract(request: pytest.FixtureRequest) -> Contract:
    return request.param


def parts(node: Any, place: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """Go over all objects of a document but the samples in it."""
    if isinstance(node, dict):
        yield place, node
        for name, value in node.items():
            if name not in SAMPLES or place.endswith("/properties"):
                yield from parts(value, f"{place}/{name}")
    elif isinstance(node, list):
        for number, value in enumerate(node):
            yield from parts(value, f"{place}/{number}")


def places(contract: Contract, wrong: Any) -> list[str]:
    return [place for place, part in parts(contract.document) if wrong(part)]


def operations(contract: Contract) -> list[dict[str, Any]]:
    methods = contract.document["paths"].values()
    return [definition for one in methods for method, definition in one.items() if method in METHODS]


def test_the_version_is_one_that_is_understood(contract: Contract):
    assert contract.document["openapi"] == "3.0.3"


def test_references_stay_within_the_file(contract: Contract):
    assert places(contract, lambda part: not str(part.get("$ref", "#/")).startswith("#/")) == []


def test_nullable_stands_beside_a_type(contract: Contract):
    assert places(contract, lambda part: "nullable" in part and not isinstance(part.get("type"), str)) == []


def test_nothing_is_read_only(contract: Contract):
    assert places(contract, lambda part: part.get("readOnly") or part.get("writeOnly")) == []


def test_every_number_has_bounds(contract: Contract):
    def is_unbounded(part: dict[str, Any]) -> bool:
        return part.get("type") in ("integer", "number") and not {"minimum", "maximum"} <= part.keys()

    assert places(contract, is_unbounded) == []


def test_every_string_has_a_greatest_length(contract: Contract):
    def is_endless(part: dict[str, Any]) -> bool:
        return part.get("type") == "string" and not part.keys() & {"maxLength", "enum"}

    assert places(contract, is_endless) == []


def test_every_format_is_checked(contract: Contract):
    def is_unknown(part: dict[str, Any]) -> bool:
        name = part.get("format")
        return isinstance(name, str) and name not in formats.checkers and name not in ONLY_NAMED

    assert places(contract, is_unknown) == []


def test_headers_and_cookies_are_strings(contract: Contract):
    def is_other(part: dict[str, Any]) -> bool:
        return part.get("in") in ("header", "cookie") and part.get("schema", {"type": "string"})["type"] != "string"

    assert places(contract, is_other) == []


def test_every_operation_has_one_tag_and_a_name_of_its_own(contract: Contract):
    names = [one["operationId"] for one in operations(contract)]

    assert all(len(one["tags"]) == 1 for one in operations(contract))
    assert len(names) == len(set(names))


def test_every_security_scheme_says_which_token_it_means(contract: Contract):
    schemes = contract.document["components"]["securitySchemes"]

    assert {scheme["x-token"] for scheme in schemes.values()} <= {"access", "fresh", "refresh"}
    for required in [contract.document.get("security", []), *(one.get("security", []) for one in operations(contract))]:
        assert {name for alternative in required for name in alternative} <= schemes.keys()
