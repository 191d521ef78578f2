"""Forms send an empty text where nobody chose a day: it means null, wherever a day or an instant may be null."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests.conftest import Person
from tests.operations import OPERATIONS, Operation, request_of


def ways_to_dates(schema: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    """List the ways from a body to each of its members that may be empty, nested ones member by member."""
    for name, member in schema.get("properties", {}).items():
        if member.get("x-empty-is-null"):
            yield (name,)
        yield from ((name, *way) for way in ways_to_dates(member))


def with_member(body: dict[str, Any], way: Sequence[str], value: object) -> dict[str, Any]:
    """Return a body with another value at the end of a way."""
    name, *rest = way
    return body | {name: with_member(body[name], rest, value) if rest else value}


def at(body: Any, way: Sequence[str]) -> object:
    """Return what stands at the end of a way."""
    for name in way:
        body = body[name]
    return body


@pytest.mark.parametrize(
    ("operation", "way"),
    [
        pytest.param(operation, way, id=f"{operation.contract.name}-{operation.id}-{'.'.join(way)}")
        for operation in OPERATIONS
        for way in ways_to_dates(operation.schema)
    ],
)
def test_an_empty_date_is_none(operation: Operation, way: tuple[str, ...], person: Person):
    request = request_of(operation, person)
    chosen = {"recurrence_pattern": {"pattern_type": "daily"}} if way[0] == "recurrence_pattern" else {}

    response = person.client.request(**{**request, "json": with_member(request["json"] | chosen, way, "")})

    assert response.is_success
    assert at(response.json(), way) is None
