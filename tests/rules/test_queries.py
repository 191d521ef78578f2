"""Parameters of the query, over all operations that have some."""

from typing import Any
from urllib.parse import quote

import pytest

from language.errors import BadInput
from tests.conftest import Person, once
from tests.operations import OPERATIONS, Operation, code_of, request_of

NO_NUMBERS = ["", "ten", "1.5", "+1", "01", "1e1", "9" * 5000, "%00", "%D9%A1"]
NO_DAYS = ["", "today", "2026-02-30", "20260101", "2026-1-1", "2026-01-01T00:00:00Z", "%00"]
NO_TEXTS = ["%00", "%ED%A0%80", "%FF"]

each_parameter = pytest.mark.parametrize(
    ("operation", "name"),
    [
        pytest.param(operation, name, id=f"{operation.contract.name}-{operation.id}-{name}")
        for operation in OPERATIONS
        for name in operation.queries
    ],
)

pytestmark = once


def wrong_values(schema: dict[str, Any]) -> list[str]:
    """List texts that cannot be a parameter of this schema, as they stand in a URL."""
    if "enum" in schema:
        return ["", "nonsense", *(quote(f" {word}") for word in schema["enum"])]
    if schema["type"] == "integer":
        return [*NO_NUMBERS, str(schema["minimum"] - 1), str(schema["maximum"] + 1)]
    return NO_DAYS if schema.get("format") == "date" else [*NO_TEXTS, "x" * (schema["maxLength"] + 1)]


@each_parameter
def test_a_value_that_cannot_be_is_bad_input(operation: Operation, name: str, person: Person):
    request = request_of(operation, person)
    values = wrong_values(operation.queries[name])
    urls = [f"{request['url']}?{name}={value}" for value in values]

    codes = [code_of(person.client.request(**{**request, "url": url})) for url in urls]

    refused = (operation.contract.status_of(BadInput), "bad_input")
    assert dict(zip(values, codes, strict=True)) == dict.fromkeys(values, refused)


@each_parameter
def test_a_value_given_twice_is_bad_input_that_names_the_parameter(operation: Operation, name: str, person: Person):
    request = request_of(operation, person)
    request["url"] += f"?{name}=1&{name}=1"

    response = person.client.request(**request)

    assert code_of(response) == (operation.contract.status_of(BadInput), "bad_input")
    assert name in response.text
