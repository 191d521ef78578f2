"""The house's own lint of the schemas in the hand-written contracts."""

import re

from server.contracts import Contract
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
    strict_validator_for,
    within,
    written_schemas,
)

SOMETIMES_THERE = {
    ("Problem", "errors"),
    ("ErrorDetail", "errors"),
    ("ErrorBody", "details"),
    ("Preferences", "timezone"),
}
"""Members of answers that may be missing: what is wrong with bad input, and what an account never chose."""

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

NOT_ECMA = re.compile(r"\(\?P|\(\?#|\\[AZ]")


@each_contract
def test_every_schema_is_titled_by_its_key(contract: Contract):
    titles = {key: schema.get("title") for key, schema in contract.document["components"]["schemas"].items()}

    assert titles == {key: key for key in titles}


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
