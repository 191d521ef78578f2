"""One mistake has one message, which names the member and what it must be: over all members of all operations."""

from collections.abc import Iterator
from copy import deepcopy
from typing import Any, NamedTuple

import httpx
import pytest

from language.errors import BadInput, FieldError
from language.formats import FORMATS
from server.validation.parameters import Parameter
from server.validation.schemas import InputSchema
from tests.conftest import once
from tests.operations import Operation, for_each

Way = tuple[str | int, ...]
"""The names of members, and the numbers of items, that lead to a value in a body."""

TYPES = {
    "string": ("must be a string", 7),
    "integer": ("must be an integer", 1.5),
    "boolean": ("must be true or false", "yes"),
    "array": ("must be an array", {}),
    "object": ("must be an object", []),
}


class Mistake(NamedTuple):
    """A wrong value, and what is to be said of it."""

    value: Any
    message: str


def mistakes_in(schema: dict[str, Any]) -> Iterator[Mistake]:
    """Make values each of which breaks a schema in one way."""
    if "enum" in schema:
        message = f"must be one of {', '.join(schema['enum'])}"
        yield from (Mistake(value, message) for value in ("", "nonsense", 7, None))
        return
    message, other = TYPES[schema["type"]]
    message += " or null" if schema.get("nullable") else ""
    yield Mistake(other, message)
    if not schema.get("nullable"):
        yield Mistake(None, message)
    yield from OF_TYPE.get(schema["type"], lambda _: ())(schema)


def mistakes_in_text(schema: dict[str, Any]) -> Iterator[Mistake]:
    yield Mistake("x" * (schema["maxLength"] + 1), f"must have at most {schema['maxLength']} characters")
    if schema.get("minLength"):
        yield Mistake("", "must not be empty")
    form = FORMATS.get(schema.get("format", ""))
    rule = form.rule if form is not None and form.has_length else None
    if rule is not None:
        yield from (Mistake(text[: schema["maxLength"]], rule) for text in ("? ", "? " * 200))
    if "pattern" in schema:
        text = schema.get("example", "example")[:-1] + "\0"
        yield Mistake(text, rule or "must hold no NUL character")


def mistakes_in_integer(schema: dict[str, Any]) -> Iterator[Mistake]:
    yield Mistake(schema["minimum"] - 1, f"must be at least {schema['minimum']}")
    yield Mistake(schema["maximum"] + 1, f"must be at most {schema['maximum']}")
    yield Mistake(schema["minimum"] - 1.5, TYPES["integer"][0] + (" or null" if schema.get("nullable") else ""))


OF_TYPE: dict[str, Any] = {"string": mistakes_in_text, "integer": mistakes_in_integer}


def values_in(schema: dict[str, Any], way: Way = ()) -> Iterator[tuple[Way, dict[str, Any]]]:
    """Iterate over the members and items of a body, each with its schema, where that is of one type."""
    if len(schema.get("allOf", [])) == 1:
        schema = schema["allOf"][0]
    if way and "type" in schema:
        yield way, schema
    for name, member in schema.get("properties", {}).items():
        yield from values_in(member, (*way, name))
    if "items" in schema:
        yield from values_in(schema["items"], (*way, 0))


def example_of(schema: dict[str, Any]) -> Any:
    """Make a value with every member that a schema has, out of the schema's own examples."""
    if len(schema.get("allOf", [])) == 1:
        schema = schema["allOf"][0]
    if "properties" in schema:
        return {name: example_of(member) for name, member in schema["properties"].items()}
    return deepcopy(schema["example"]) if "example" in schema else [example_of(schema["items"])]


def with_value(body: dict[str, Any], way: Way, value: Any) -> dict[str, Any]:
    """Put a value into a copy of a body."""
    changed: Any = deepcopy(body)
    inner = changed
    for step in way[:-1]:
        inner = inner[step]
    inner[way[-1]] = value
    return changed


def said_of(schema: InputSchema | Parameter, value: Any) -> list[FieldError]:
    with pytest.raises(BadInput) as refused:
        schema.read(value)
    return list(refused.value.errors)


@for_each(lambda operation: operation.members)
def test_one_mistake_in_a_body_has_one_message(operation: Operation):
    schema, body = InputSchema(operation.schema), example_of(operation.schema)
    schema.read(body)

    for way, member in values_in(operation.schema):
        for value, message in mistakes_in(member):
            said = said_of(schema, with_value(body, way, value))
            assert said == [FieldError(".".join(map(str, way)), message)], value


@for_each(lambda operation: operation.schema.get("required"))
def test_each_missing_member_has_one_message(operation: Operation):
    schema, body = InputSchema(operation.schema), example_of(operation.schema)

    said = {
        name: said_of(schema, {one: body[one] for one in body.keys() - {name}}) for name in operation.schema["required"]
    }

    assert said == {name: [FieldError(name, "is required")] for name in operation.schema["required"]}


@for_each(lambda operation: operation.queries)
def test_one_mistake_in_a_query_has_one_message(operation: Operation):
    for name, schema in operation.queries.items():
        parameter = Parameter({"name": name, "schema": schema})
        mistakes = [one for one in mistakes_in(schema) if isinstance(one.value, str) or schema["type"] != "string"]
        said = {(one.value, one.message): said_of(parameter, str(one.value)) for one in mistakes}
        assert said == {(value, message): [FieldError(name, message)] for value, message in mistakes}


@once
def test_two_mistakes_in_one_member_have_two_messages(anonymous: httpx.Client):
    body = {"username": "", "email": "x", "password": "short"}

    response = anonymous.post("/api/v1/auth/register", json=body)

    assert response.json()["errors"] == [
        {"field": "username", "message": "must not be empty"},
        {"field": "email", "message": "must be an e-mail address"},
        {"field": "password", "message": "must have at least 8 characters"},
        {"field": "password", "message": "must hold an uppercase letter, a digit and a symbol"},
    ]
