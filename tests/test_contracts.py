"""The house's own lint of the hand-written contracts: what the general linters do not know or do not ask."""

import re

from language.errors import BadInput
from server.contracts import CONTRACTS, OPENAPI_FOLDER, Contract
from tests.contract_walk import (
    Node,
    each_contract,
    nodes,
    operations,
    responses,
    written_schemas,
)

READING_ORDER = (
    "operationId",
    "summary",
    "description",
    "tags",
    "security",
    "x-",
    "parameters",
    "requestBody",
    "responses",
)
HEADERS_OF = {
    "401": {"WWW-Authenticate"},
    "429": {"Retry-After", "RateLimit", "RateLimit-Policy"},
    "503": {"Retry-After"},
}
SNAKE_CASE = re.compile(r"[a-z]+(_[a-z0-9]+)*")


def test_every_contract_stands_in_the_table():
    files = {path.stem for path in OPENAPI_FOLDER.glob("*.yaml")}

    assert files == {contract.name for contract in CONTRACTS}


@each_contract
def test_the_version_is_one_that_connexion_reads(contract: Contract):
    assert contract.document["openapi"] == "3.0.3"


@each_contract
def test_no_site_is_named_that_does_not_exist(contract: Contract):
    sites = [node["url"] for _, node in nodes(contract.document) if "url" in node and "://" in node["url"]]

    assert [site for site in sites if re.search(r"\.(example|test|invalid|localhost)\b|//example\.", site)] == []


@each_contract
def test_operations_have_one_reading_order(contract: Contract):
    wrong = [place for place, operation in operations(contract) if not is_in_reading_order(operation)]

    assert wrong == []


@each_contract
def test_operation_ids_are_unique_and_function_names(contract: Contract):
    names = [operation["operationId"] for _, operation in operations(contract)]

    assert len(names) == len(set(names))
    assert [name for name in names if not SNAKE_CASE.fullmatch(name)] == []


@each_contract
def test_every_operation_has_one_declared_tag_and_every_tag_operations(contract: Contract):
    declared = [tag["name"] for tag in contract.document["tags"]]
    tags = [operation["tags"] for _, operation in operations(contract)]

    assert [several for several in tags if len(several) != 1] == []
    assert len(declared) == len(set(declared))
    assert {tag for (tag,) in tags} == set(declared)


@each_contract
def test_summaries_are_headlines_and_descriptions_sentences(contract: Contract):
    headlines = {place: operation["summary"] for place, operation in operations(contract)}
    sentences = {place: operation["description"] for place, operation in operations(contract)}
    sentences |= {place: response["description"] for place, response in responses(contract)}

    assert [
        place for place, text in headlines.items() if text.endswith(".") or text != text[0].upper() + text[1:]
    ] == []
    assert [place for place, text in sentences.items() if not text.rstrip().endswith(".")] == []


@each_contract
def test_operations_document_what_every_request_may_meet(contract: Contract):
    wrong = {
        place: missing for place, operation in operations(contract) if (missing := undocumented(operation, contract))
    }

    assert wrong == {}


@each_contract
def test_only_operations_that_take_a_body_refuse_one(contract: Contract):
    wrong = [
        place
        for place, operation in operations(contract)
        if "requestBody" not in operation and {"413", "415"} & operation["responses"].keys()
    ]

    assert wrong == []


@each_contract
def test_refusals_document_the_headers_that_go_with_them(contract: Contract):
    wrong = [
        place
        for place, response in responses(contract)
        if not HEADERS_OF.get(place[-1], set()) <= required_headers(response)
    ]

    assert wrong == []


@each_contract
def test_no_line_of_a_description_begins_a_numbered_list_by_chance(contract: Contract):
    descriptions = {place: str(node.get("description", "")) for place, node in nodes(contract.document)}

    assert [place for place, text in descriptions.items() if re.search(r"^\d+[.)]( |$)", text, re.MULTILINE)] == []


@each_contract
def test_members_parameters_and_headers_are_described(contract: Contract):
    components = contract.document["components"]
    members = {
        (*place, name): member
        for place, schema in written_schemas(contract)
        for name, member in schema.get("properties", {}).items()
    }
    # Examples have a summary.
    kinds = components.keys() - {"examples"}
    named = {(kind, name): one for kind in kinds for name, one in components[kind].items()}

    # What is a reference alone is described where it leads.
    wrong = [place for place, one in (members | named).items() if "$ref" not in one and not is_described(one)]

    assert wrong == []


@each_contract
def test_headers_are_components_called_by_their_own_names(contract: Contract):
    used = {
        (name, header.get("$ref", "").removeprefix("#/components/headers/"))
        for _, node in nodes(contract.document)
        for name, header in node.get("headers", {}).items()
        if "content" in node or "description" in node
    }

    # A variant has a word before it: `Optional-RateLimit`.
    assert [called for name, called in used if called != name and not called.endswith(f"-{name}")] == []


def is_in_reading_order(operation: Node) -> bool:
    members = ["x-" if name.startswith("x-") else name for name in operation]
    statuses = list(operation["responses"])
    return members == sorted(members, key=READING_ORDER.index) and statuses == sorted(statuses)


def undocumented(operation: Node, contract: Contract) -> set[str]:
    """List the statuses that an operation can answer with and does not document."""
    expected = {"500", "503"}
    if any(operation.get("security", contract.document["security"])):
        expected |= {"401", str(operation.get("x-deleted-account", 401))}
    if "requestBody" in operation:
        expected |= {"400", "413", "415", str(contract.status_of(BadInput))}
    if any(parameter["in"] == "query" for parameter in operation.get("parameters", [])):
        expected |= {str(contract.status_of(BadInput))}
    return expected - operation["responses"].keys()


def required_headers(response: Node) -> set[str]:
    return {name for name, header in response.get("headers", {}).items() if header.get("required")}


def is_described(part: Node) -> bool:
    return part.get("description", "").rstrip().endswith(".")
