"""Where requests name a thing of somebody's: in the path, in the query, in the body."""

from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import uuid4

import pytest

from tests.conftest import Person
from tests.operations import OPERATIONS, Operation, make_item, named, no_item, request_of, send

MAKERS = {
    "category_id": named("create_category", "tasktracker"),
    "session_id": named("create_session", "focusguard"),
}
"""What makes the thing that a member of a body or a parameter of a query names."""

NO_IDS = ["abc", "%20", "1%00", "%FF", "%2F", "%D9%A1", "9" * 5000]
NO_NUMBERS = [*NO_IDS, "0", "-1", "9007199254740992", "9223372036854775808", "1.5", "1e3", "01", "+1"]
NO_UUIDS = [*NO_IDS, "1", "a0eebc999c0b4ef8bb6d6bb9bd380a11", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"]
NO_VALUES = ["abc", "", 1.5, -1, 2**53, True, [], {}]
NO_TEXTS = ["abc", "", "1.5", "-1", "9007199254740992"]


class Reference(NamedTuple):
    """One place where an operation names a thing that has an owner."""

    operation: Operation
    place: str
    name: str

    def __str__(self) -> str:
        return f"{self.operation.contract.name}-{self.operation.id}-{self.name}"

    def make(self, person: Person) -> Any:
        """Make such a thing, and return its id."""
        return make_item(self.operation, person) if self.place == "path" else send(MAKERS[self.name], person)["id"]

    def nothing(self) -> Any:
        """Return an id that nothing has."""
        if self.place == "path":
            return no_item(self.operation)
        schema = dict(identifiers(self.operation))[self.name]
        return schema.get("maximum") or str(uuid4())

    def malformed(self) -> list[Any]:
        """List what cannot be an id."""
        if self.place == "path":
            return NO_NUMBERS if isinstance(no_item(self.operation), int) else NO_UUIDS
        return NO_TEXTS if self.place == "query" else NO_VALUES

    def request(self, person: Person, thing: object) -> dict[str, Any]:
        """Write a request of this person's that names a thing and would succeed if the thing were theirs."""
        if self.place == "path":
            return request_of(self.operation, person, item=thing)
        request = request_of(self.operation, person)
        part = "params" if self.place == "query" else "json"
        return request | {part: request.get(part, {}) | {self.name: thing}}


def identifiers(operation: Operation) -> Iterator[tuple[str, dict[str, Any]]]:
    """List the names in query and body that look like ids, nested ones by their way: `task.category_id`."""
    for name, schema in [*operation.queries.items(), *_members(operation.schema, "")]:
        if name.split(".")[-1].split("_")[-1] in {"id", "ids", "uuid"} or schema.get("format") == "uuid":
            yield name, schema


def _members(schema: dict[str, Any], way: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, inner in schema.get("properties", {}).items():
        yield f"{way}{name}", inner
        yield from _members(inner, f"{way}{name}.")
    alternatives = [one for word in ("allOf", "anyOf", "oneOf") for one in schema.get(word, [])]
    for inner in [*alternatives, *([schema["items"]] if "items" in schema else [])]:
        yield from _members(inner, way)


def references_of(operation: Operation) -> Iterator[Reference]:
    """List where an operation names things that have an owner."""
    if operation.item is not None:
        yield Reference(operation, "path", operation.item)
    for name, _ in identifiers(operation):
        yield Reference(operation, "query" if name in operation.queries else "body", name)


REFERENCES = [reference for operation in OPERATIONS for reference in references_of(operation)]

for_each_reference = pytest.mark.parametrize("reference", REFERENCES, ids=str)
