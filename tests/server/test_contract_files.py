"""What the YAML files must not say, since Connexion 3.3.0 would read it otherwise than it is meant."""

from language.formats import FORMATS, Conversion
from server.contracts import Contract
from tests.contract_walk import Node, asked_bodies, each_contract, nodes, operations, parameters, within

ONLY_NAMED = {"int32", "int64", "uri-reference"}
"""Formats that bounds or the server's own care stand for."""


@each_contract
def test_references_stay_within_the_file(contract: Contract):
    references = [node["$ref"] for _, node in nodes(contract.document) if isinstance(node.get("$ref"), str)]

    assert [reference for reference in references if not reference.startswith("#/")] == []


@each_contract
def test_nothing_is_read_only(contract: Contract):
    assert [place for place, node in nodes(contract.document) if node.get("readOnly") or node.get("writeOnly")] == []


@each_contract
def test_every_format_is_checked(contract: Contract):
    named = {node["format"] for _, node in nodes(contract.document) if isinstance(node.get("format"), str)}

    assert named - FORMATS.keys() <= ONLY_NAMED


@each_contract
def test_every_format_of_the_input_stands_where_it_is_converted(contract: Contract):
    # That is at a parameter, a body, or members of members; within lists and combined schemas it would go unchecked.
    inputs = [(place, node["schema"]) for place, node in (*asked_bodies(contract), *parameters(contract))]

    wrong = [place for place, schema in inputs if count_formats(schema) != count_conversions(Conversion(schema))]

    assert inputs
    assert wrong == []


@each_contract
def test_headers_and_cookies_are_strings(contract: Contract):
    sent = [
        node["schema"]
        for _, node in nodes(contract.document)
        if node.get("in") in ("header", "cookie") and "schema" in node
    ]

    assert [schema for schema in sent if schema.get("type") != "string"] == []


@each_contract
def test_every_security_scheme_says_which_token_it_means(contract: Contract):
    schemes = contract.document["components"]["securitySchemes"]
    required = [contract.document["security"], *(one.get("security", []) for _, one in operations(contract))]

    assert {scheme["x-token"] for scheme in schemes.values()} <= {"access", "fresh", "refresh"}
    assert {name for one in required for alternative in one for name in alternative} <= schemes.keys()


def count_formats(schema: Node) -> int:
    return sum(node.get("format") in FORMATS for _, node in within((), schema))


def count_conversions(conversion: Conversion) -> int:
    return (conversion.format is not None) + sum(map(count_conversions, conversion.members.values()))
