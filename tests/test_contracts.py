"""The house's own lint of the hand-written contracts: what the general linters do not know or do not ask."""

import re

from language.errors import BadInput
from server.contracts import CONTRACTS, OPENAPI_FOLDER, Contract
from tests.contract_walk import (
    Node,
    Place,
    answered_bodies,
    answered_schemas,
    asked_bodies,
    asked_schemas,
    each_contract,
    examples,
    nodes,
    operations,
    responses,
    strict_validator_for,
    within,
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
SOMETIMES_THERE = {
    ("Problem", "errors"),
    ("ErrorDetail", "errors"),
    ("ErrorBody", "details"),
    ("Preferences", "timezone"),
}
"""Members of answers that may be missing: what is wrong with bad input, and what an account never chose."""

HEADERS_OF = {
    "401": {"WWW-Authenticate"},
    "429": {"Retry-After", "RateLimit", "RateLimit-Policy"},
    "503": {"Retry-After"},
}
WHOLE_LISTS = {
    ("workspace", "TodoList"),
    ("workspace", "AchievementList"),
    ("workspace", "FocusItemList"),
    ("workspace", "FuturePlanList"),
    ("tasktracker", "categories"),
    ("focusguard", "sessions"),
    ("focusguard", "gardens"),
    ("todo", "tasks"),
}
"""Lists that hold everything unless a limit is given, so that nothing bounds them."""

MOST_EXACT = 2**53 - 1
"""The largest integer that JavaScript, and with it half of all clients, holds exactly."""

SNAKE_CASE = re.compile(r"[a-z]+(_[a-z0-9]+)*")
NOT_ECMA = re.compile(r"\(\?P|\(\?#|\\[AZ]")


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
def test_every_schema_is_titled_by_its_key(contract: Contract):
    titles = {key: schema.get("title") for key, schema in contract.document["components"]["schemas"].items()}

    assert titles == {key: key for key in titles}


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


@each_contract
def test_objects_are_components(contract: Contract):
    wrong = [
        place
        for place, schema in written_schemas(contract)
        if (schema.get("type") == "object" or "properties" in schema) and not is_component(place)
    ]

    assert wrong == []


@each_contract
def test_nothing_stands_beside_a_reference(contract: Contract):
    wrong = [place for place, node in nodes(contract.document) if "$ref" in node and len(node) > 1]

    assert wrong == []


@each_contract
def test_nullable_stands_beside_a_type(contract: Contract):
    wrong = [place for place, schema in written_schemas(contract) if "nullable" in schema and "type" not in schema]

    assert wrong == []


@each_contract
def test_strings_and_numbers_are_bounded(contract: Contract):
    wrong = [place for place, schema in written_schemas(contract) if not is_bounded(schema)]

    assert wrong == []


@each_contract
def test_arrays_in_requests_are_bounded(contract: Contract):
    wrong = [place for place, schema in asked_schemas(contract) if is_array(schema) and "maxItems" not in schema]

    assert wrong == []


@each_contract
def test_alternatives_in_requests_differ_in_type(contract: Contract):
    # What is wrong is said by the alternative of the type that was sent.
    kinds = {
        place: [one.get("type") for one in schema["oneOf"]]
        for place, schema in asked_schemas(contract)
        if "oneOf" in schema
    }

    assert {place: types for place, types in kinds.items() if len({*types, None}) <= len(types)} == {}


@each_contract
def test_every_day_or_instant_in_a_body_that_may_be_null_may_be_empty(contract: Contract):
    bodies = [one for place, body in asked_bodies(contract) for one in within(place, body["schema"])]
    dates = [one for one in bodies if one[1].get("format") in {"date", "date-time"} and one[1].get("nullable")]

    assert [place for place, schema in dates if not schema.get("x-empty-is-null") or "minLength" in schema] == []


@each_contract
def test_arrays_in_answers_are_bounded_unless_they_hold_everything(contract: Contract):
    unbounded = {
        schema.get("title", place[-1])
        for place, schema in answered_schemas(contract)
        if is_array(schema) and "maxItems" not in schema
    }

    assert unbounded == {name for where, name in WHOLE_LISTS if where == contract.name}


@each_contract
def test_every_integer_is_one_that_javascript_holds_exactly(contract: Contract):
    integers = [one for one in written_schemas(contract) if one[1].get("type") == "integer"]

    assert [place for place, schema in integers if max(-schema["minimum"], schema["maximum"]) > MOST_EXACT] == []


@each_contract
def test_answers_list_all_their_members_as_required(contract: Contract):
    open_members = {place: members_left_open(schema) for place, schema in answered_schemas(contract)}

    assert {place: members for place, members in open_members.items() if members} == {}


@each_contract
def test_patterns_read_alike_here_and_in_browsers(contract: Contract):
    patterns = {schema["pattern"] for _, schema in written_schemas(contract) if "pattern" in schema}

    assert [pattern for pattern in patterns if NOT_ECMA.search(pattern) or not re.compile(pattern)] == []
    assert [pattern for pattern in patterns if not (pattern.startswith("^") and pattern.endswith("$"))] == []


@each_contract
def test_a_pattern_in_a_request_says_in_words_what_it_asks_for(contract: Contract):
    wrong = [place for place, schema in asked_schemas(contract) if "pattern" in schema and not schema.get("x-message")]

    assert wrong == []


@each_contract
def test_no_text_in_a_request_may_hold_nul(contract: Contract):
    # Any text at all may stand where a path names the caller; what is not the caller is somebody else.
    texts = [one for one in asked_schemas(contract) if one[1].get("type") == "string" and one[0][-1] != "user_id"]

    assert [place for place, schema in texts if takes_nul(schema)] == []


@each_contract
def test_all_examples_and_defaults_are_valid(contract: Contract):
    wrong = {
        place: error.message
        for place, schema, value in examples(contract)
        for error in strict_validator_for(schema).iter_errors(value)
    }

    assert wrong == {}


@each_contract
def test_every_body_has_an_example(contract: Contract):
    bodies = [*asked_bodies(contract), *answered_bodies(contract)]

    wrong = [place for place, media_type in bodies if not {"example", "examples"} & media_type.keys()]

    assert wrong == []


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


def is_component(place: Place) -> bool:
    return place[:2] == ("components", "schemas") and len(place) == 3


def is_array(schema: Node) -> bool:
    return schema.get("type") == "array"


def is_bounded(schema: Node) -> bool:
    match schema.get("type"):
        case "string":
            return "maxLength" in schema or "enum" in schema
        case "integer" | "number":
            return {"minimum", "maximum"} <= schema.keys()
    return True


def members_left_open(schema: Node) -> set[str]:
    members = schema.get("properties", {}).keys() - set(schema.get("required", []))
    return {member for member in members if (schema.get("title"), member) not in SOMETIMES_THERE}


def takes_nul(schema: Node) -> bool:
    length = max(1, schema.get("minLength", 0))
    texts = ["\0" * length, f"{schema.get('example', 'a' * length)}"[:-1] + "\0"]
    return any(strict_validator_for(schema).is_valid(text) for text in texts)
