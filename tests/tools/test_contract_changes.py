from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tools.contract_changes import FOLDER, ROOT, changes_between, parsed, told

CONTRACT = parsed(b"""
servers: [{url: /api}]
security: [{accessToken: []}]
paths:
  /things/{id}:
    put:
      operationId: update_thing
      tags: [things]
      parameters:
        - {name: id, in: path, required: true, schema: {type: integer, minimum: 1}}
        - {name: limit, in: query, schema: {type: integer, maximum: 100, default: 20}}
      requestBody:
        required: true
        content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}
      responses:
        '200':
          headers: {ETag: {required: true, schema: {type: string}}}
          content: {application/json: {schema: {$ref: '#/components/schemas/Thing'}}}
        '404': {description: There is no such thing.}
components:
  securitySchemes:
    accessToken: {type: http, scheme: bearer, x-token: access}
    freshToken: {type: http, scheme: bearer, x-token: fresh}
  schemas:
    Thing:
      title: Thing
      type: object
      required: [name]
      properties:
        name: {type: string, minLength: 1, maxLength: 50}
        color: {type: string, enum: [red, blue]}
        size: {allOf: [{$ref: '#/components/schemas/Size'}], default: 1}
        parent: {$ref: '#/components/schemas/Thing'}
    Size: {title: Size, type: integer, nullable: true}
""")
OPERATION = ("paths", "/things/{id}", "put")
MEMBERS = ("components", "schemas", "Thing", "properties")


def test_a_contract_has_not_changed_since_itself():
    assert changes_between(CONTRACT, deepcopy(CONTRACT)) == []


def test_other_words_are_no_change():
    new = deepcopy(CONTRACT)
    set_at(new, (*OPERATION, "summary"), "Change a thing")
    set_at(new, (*MEMBERS, "name", "description"), "What it is called.")

    changes = changes_between(CONTRACT, new)

    assert changes == []


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        ((*OPERATION, "operationId"), "change_thing", "operationId was update_thing and is change_thing"),
        ((*OPERATION, "tags"), ["stuff"], "tags was ['things'] and is ['stuff']"),
        ((*OPERATION, "security"), [{"freshToken": []}], "no longer takes access token as bearer"),
        ((*OPERATION, "parameters", 1, "required"), True, "has to be sent"),
        ((*OPERATION, "parameters", 1, "schema", "maximum"), 50, "maximum was 100 and is 50"),
        ((*OPERATION, "parameters", 1, "schema", "default"), 10, "default was 20 and is 10"),
        ((*OPERATION, "responses", "201"), {"description": "Made."}, "is a new answer"),
        ((*OPERATION, "responses", "200", "headers"), {}, "has no header ETag any more"),
        ((*OPERATION, "responses", "200", "headers", "ETag", "required"), False, "header ETag is optional"),
        ((*MEMBERS, "name", "maxLength"), 20, "name maxLength was 50 and is 20"),
        ((*MEMBERS, "name", "pattern"), "^a", "name pattern was none and is ^a"),
        ((*MEMBERS, "name", "type"), "integer", "name type was string and is integer"),
        ((*MEMBERS, "name", "nullable"), True, "name can be null"),
        ((*MEMBERS, "color", "enum"), ["red"], "color can no longer be blue"),
        ((*MEMBERS, "color", "enum"), ["red", "blue", "green"], "color can also be green"),
        (("components", "schemas", "Thing", "required"), ["name", "color"], "has to have color"),
        (("components", "schemas", "Thing", "required"), [], "need not have name"),
        (("components", "schemas", "Thing", "additionalProperties"), False, "* is one of a list"),
        (("components", "schemas", "Size", "type"), "number", "size type was integer and is number"),
        (("components", "schemas", "Size", "title"), "Extent", "size title was Size and is Extent"),
    ],
)
def test_what_can_break_a_client_is_breaking(path: tuple[Any, ...], value: Any, what: str):
    new = deepcopy(CONTRACT)
    set_at(new, path, value)

    changes = changes_between(CONTRACT, new)

    assert what in {change.what for change in changes if change.is_breaking}


@pytest.mark.parametrize(
    ("path", "value", "what"),
    [
        ((*OPERATION, "deprecated"), True, "is deprecated"),
        ((*OPERATION, "security"), [{"accessToken": []}, {"freshToken": []}], "also takes fresh token as bearer"),
        ((*OPERATION, "parameters", 0, "schema", "minimum"), 0, "minimum was 1 and is 0"),
        ((*OPERATION, "requestBody", "required"), False, "need not be sent"),
        ((*OPERATION, "responses", "409"), {"description": "It is taken."}, "is a new answer"),
        ((*OPERATION, "responses", "200", "headers", "Age"), {"schema": {}}, "has a new header Age"),
        ((*MEMBERS, "weight"), {"type": "number"}, "has a new member weight"),
    ],
)
def test_what_leaves_clients_alone_is_harmless(path: tuple[Any, ...], value: Any, what: str):
    new = deepcopy(CONTRACT)
    set_at(new, path, value)

    changes = changes_between(CONTRACT, new)

    assert {change.what for change in changes} == {what}
    assert not any(change.is_breaking for change in changes)


@pytest.mark.parametrize(
    ("path", "what"),
    [
        (OPERATION, "is gone"),
        ((*OPERATION, "parameters", 1), "is gone"),
        ((*OPERATION, "requestBody"), "is gone"),
        ((*OPERATION, "responses", "200"), "is not answered any more"),
        ((*OPERATION, "responses", "200", "content", "application/json"), "is no longer application/json"),
        ((*MEMBERS, "color"), "has no member color any more"),
    ],
)
def test_what_is_gone_breaks(path: tuple[Any, ...], what: str):
    new = deepcopy(CONTRACT)
    at(new, path[:-1]).pop(path[-1])

    changes = changes_between(CONTRACT, new)

    assert what in {change.what for change in changes if change.is_breaking}


def test_a_longer_text_breaks_who_reads_it_and_not_who_sends_it():
    new = deepcopy(CONTRACT)
    set_at(new, (*MEMBERS, "name", "maxLength"), 80)

    changes = changes_between(CONTRACT, new)

    assert [(change.is_breaking, change.where) for change in changes] == [
        (True, "PUT /api/things/{id}: 200"),
        (False, "PUT /api/things/{id}: body"),
    ]


def test_a_contract_is_told_of_as_new_or_gone_by_its_operations():
    (new,), (gone,) = changes_between(None, CONTRACT), changes_between(CONTRACT, None)

    assert (new.is_breaking, new.what) == (False, "is new")
    assert (gone.is_breaking, gone.what) == (True, "is gone")


def test_a_moved_contract_breaks():
    new = deepcopy(CONTRACT)
    set_at(new, ("servers", 0, "url"), "/api/v2")

    gone, moved = changes_between(CONTRACT, new)

    assert (gone.is_breaking, gone.where) == (True, "PUT /api/things/{id}")
    assert (moved.is_breaking, moved.where) == (False, "PUT /api/v2/things/{id}")


def test_a_change_is_told_once_with_the_places_where_it_is():
    new = deepcopy(CONTRACT)
    set_at(new, (*MEMBERS, "name", "type"), "integer")

    lines = list(told("things", changes_between(CONTRACT, new)))

    assert lines == [
        "things: 2 breaking, 0 harmless",
        "  BREAKING  name type was string and is integer",
        "      PUT /api/things/{id}: 200",
        "      PUT /api/things/{id}: body",
    ]


@pytest.mark.parametrize("path", sorted((ROOT / FOLDER).glob("*.yaml")), ids=lambda path: path.stem)
def test_a_whole_contract_can_be_compared(path: Path):
    contract = parsed(path.read_bytes())

    assert changes_between(contract, deepcopy(contract)) == []


def at(node: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        node = node[step]
    return node


def set_at(node: Any, path: tuple[Any, ...], value: Any) -> None:
    at(node, path[:-1])[path[-1]] = value
