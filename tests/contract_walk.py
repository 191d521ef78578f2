"""Walks over the contracts: their operations, schemas and examples, each with the place where it stands."""

from collections.abc import Iterator
from functools import cache, partial
from typing import Any

import pytest
from connexion.http_facts import METHODS
from connexion.spec import Specification
from jsonschema import FormatChecker
from jsonschema.protocols import Validator

from language.formats import FORMATS
from server.contracts import CONTRACTS, Contract
from server.validation.schemas import ContractValidator

Place = tuple[str, ...]
Node = Any
"""A mapping of the YAML file; what is in it is for the tests to find out."""

each_contract = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda contract: contract.name)


FORMAT_CHECKER = FormatChecker(formats=())


def _is_of_format(name: str, value: object) -> bool:
    if isinstance(value, str):
        FORMATS[name].parse(value)
    return True


for _name in FORMATS:
    FORMAT_CHECKER.checks(_name, raises=(ValueError, OverflowError))(partial(_is_of_format, _name))


def strict_validator_for(schema: Node) -> Validator:
    """Build the validator of a schema that checks formats as well, which the server does as it converts its input."""
    return ContractValidator(schema, format_checker=FORMAT_CHECKER)


def contract_named(name: str) -> Contract:
    return next(contract for contract in CONTRACTS if contract.name == name)


@cache
def specification(contract: Contract) -> Node:
    """Return a contract with all its references resolved."""
    return Specification.from_dict(contract.document)


def operations(contract: Contract) -> Iterator[tuple[Place, Node]]:
    """Iterate over the operations, references resolved."""
    for path, item in specification(contract)["paths"].items():
        for method in METHODS & item.keys():
            yield (path, method), item[method]


def responses(contract: Contract) -> Iterator[tuple[Place, Node]]:
    for place, operation in operations(contract):
        for status, response in operation["responses"].items():
            yield (*place, status), response


def asked_bodies(contract: Contract) -> Iterator[tuple[Place, Node]]:
    for place, operation in operations(contract):
        for media_type, content in operation.get("requestBody", {}).get("content", {}).items():
            yield (*place, "requestBody", media_type), content


def answered_bodies(contract: Contract) -> Iterator[tuple[Place, Node]]:
    for place, response in responses(contract):
        for media_type, content in response.get("content", {}).items():
            yield (*place, media_type), content


def parameters(contract: Contract) -> Iterator[tuple[Place, Node]]:
    for place, operation in operations(contract):
        for parameter in operation.get("parameters", []):
            yield (*place, parameter["name"]), parameter


def headers(contract: Contract) -> Iterator[tuple[Place, Node]]:
    for place, response in responses(contract):
        for name, header in response.get("headers", {}).items():
            yield (*place, name), header


def asked_schemas(contract: Contract) -> Iterator[tuple[Place, Node]]:
    """Iterate over the schemas of all that is sent to the server."""
    for place, part in (*asked_bodies(contract), *parameters(contract)):
        yield from within(place, part["schema"])


def answered_schemas(contract: Contract) -> Iterator[tuple[Place, Node]]:
    """Iterate over the schemas of all that the server sends."""
    for place, part in (*answered_bodies(contract), *headers(contract)):
        yield from within(place, part["schema"])


def within(place: Place, schema: Node) -> Iterator[tuple[Place, Node]]:
    """Iterate over a schema and the schemas in it."""
    yield place, schema
    for name, member in schema.get("properties", {}).items():
        yield from within((*place, name), member)
    for word in ("items", "additionalProperties", "not"):
        if isinstance(schema.get(word), dict):
            yield from within((*place, word), schema[word])
    for word in ("allOf", "anyOf", "oneOf"):
        for number, part in enumerate(schema.get(word, [])):
            yield from within((*place, word, str(number)), part)


def written_schemas(contract: Contract) -> Iterator[tuple[Place, Node]]:
    """Iterate over all schemas as they stand in the file, each once, references unresolved."""
    for key, schema in contract.document["components"]["schemas"].items():
        yield from within(("components", "schemas", key), schema)
    for place, node in nodes(contract.document):
        if "schema" in node and "properties" not in place:
            yield from within((*place, "schema"), node["schema"])


def nodes(node: Node, place: Place = ()) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Iterate over all mappings of a document, leaving out examples, which mean nothing."""
    if isinstance(node, dict):
        yield place, node
    members = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    for name, member in members:
        if name not in ("example", "examples", "default"):
            yield from nodes(member, (*place, str(name)))


def examples(contract: Contract) -> Iterator[tuple[Place, Node, Any]]:
    """Iterate over all examples and defaults, each with its schema."""
    parts = (*asked_bodies(contract), *answered_bodies(contract), *parameters(contract), *headers(contract))
    for place, part in parts:
        given = [part["example"]] if "example" in part else []
        given += [example["value"] for example in part.get("examples", {}).values()]
        yield from ((place, part["schema"], value) for value in given)
    for place, schema in (*asked_schemas(contract), *answered_schemas(contract)):
        yield from ((place, schema, schema[word]) for word in ("example", "default") if word in schema)
