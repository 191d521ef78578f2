"""Compare two JSON schemas by what they allow; the same rule in other words is no difference."""

from collections.abc import Iterator, Mapping
from math import inf
from typing import Any, NamedTuple

Schema = Mapping[str, Any]

LEAST = ("minLength", "minimum", "minItems", "minProperties")
MOST = ("maxLength", "maximum", "maxItems", "maxProperties")
RESTRICTIONS = ("type", "format", "pattern", "multipleOf", "uniqueItems", "exclusiveMinimum", "exclusiveMaximum")
WIDENED = ("integer", "number")
"""The only two types of which the second allows everything that the first does."""

ALTERNATIVES = ("oneOf", "anyOf")


class Difference(NamedTuple):
    """A difference between two schemas: the new one allows less than the old one, or more, or both."""

    place: str
    what: str
    allows_less: bool
    allows_more: bool

    @property
    def told(self) -> str:
        """The place, and what is different there."""
        return f"{self.place} {self.what}".lstrip()


class Document:
    """The content of a contract, with references that can be followed."""

    def __init__(self, content: Schema) -> None:
        self.content = content

    def resolved(self, node: Any) -> Any:
        """Return a node, or what it refers to if it is a reference."""
        while isinstance(node, Mapping) and "$ref" in node:
            target: Any = self.content
            for step in node["$ref"].removeprefix("#/").split("/"):
                target = target[step.replace("~1", "/").replace("~0", "~")]
            node = target
        return node

    def schema(self, node: Any) -> Schema:
        """Return a schema with its reference followed and the parts of its `allOf` merged."""
        schema = self.resolved(node)
        whole: dict[str, Any] = {}
        for part in (*map(self.schema, schema.get("allOf", [])), schema):
            members = {**whole.get("properties", {}), **part.get("properties", {})}
            required = [*whole.get("required", []), *part.get("required", [])]
            whole |= {**part, "properties": members, "required": required}
        return whole

    def name(self, node: Any) -> str:
        """Return the name of an alternative: its title, or else its type."""
        schema = self.schema(node)
        return str(schema.get("title") or schema.get("type"))


class SchemaComparison:
    """Compares schemas of two documents."""

    def __init__(self, old: Document, new: Document) -> None:
        self.old = old
        self.new = new

    def differences(
        self, old: Any, new: Any, place: tuple[str, ...] = (), above: frozenset[int] = frozenset()
    ) -> Iterator[Difference]:
        """Yield the differences. A schema that contains itself (it is `above` itself) is compared once."""
        if id(self.old.resolved(old)) in above:
            return
        above |= {id(self.old.resolved(old))}
        before, after = self.old.schema(old), self.new.schema(new)
        for changes_of in COMPARED:
            for what, allows_less, allows_more in changes_of(before, after):
                yield Difference(".".join(place), what, allows_less, allows_more)
        for step, one, other in _parts(before, after):
            yield from self.differences(one, other, (*place, step), above)
        for word in ALTERNATIVES:
            yield from self._alternatives(before.get(word, []), after.get(word, []), place, above)

    def _alternatives(
        self, old: list[Any], new: list[Any], place: tuple[str, ...], above: frozenset[int]
    ) -> Iterator[Difference]:
        before = {self.old.name(one): one for one in old}
        after = {self.new.name(one): one for one in new}
        for name in sorted(before.keys() - after.keys()):
            yield Difference(".".join(place), f"can no longer be {name}", allows_less=True, allows_more=not new)
        for name in sorted(after.keys() - before.keys()):
            yield Difference(".".join(place), f"can also be {name}", allows_less=not old, allows_more=True)
        for name in sorted(before.keys() & after.keys()):
            yield from self.differences(before[name], after[name], place, above)


Change = tuple[str, bool, bool]
"""What changed, whether the new schema allows less, and whether it allows more."""


def _limits(before: Schema, after: Schema) -> Iterator[Change]:
    for words, unlimited, sign in ((LEAST, -inf, 1), (MOST, inf, -1)):
        for word in words:
            old, new = before.get(word, unlimited), after.get(word, unlimited)
            if old != new:
                yield _was_and_is(word, old, new), (new - old) * sign > 0, (new - old) * sign < 0


def _restrictions(before: Schema, after: Schema) -> Iterator[Change]:
    for word in RESTRICTIONS:
        old, new = before.get(word), after.get(word)
        if old != new:
            yield (
                _was_and_is(word, old, new),
                new is not None and (old, new) != WIDENED,
                old is not None and (new, old) != WIDENED,
            )


def _null(before: Schema, after: Schema) -> Iterator[Change]:
    was, can_be = before.get("nullable", False), after.get("nullable", False)
    if was != can_be:
        yield "can be null" if can_be else "can no longer be null", was, can_be


def _listed(before: Schema, after: Schema) -> Iterator[Change]:
    old, new = before.get("enum"), after.get("enum")
    if old is None or new is None:
        if old != new:
            yield "is one of a list" if old is None else "is no longer one of a list", old is None, new is None
        return
    yield from ((f"can no longer be {_said(value)}", True, False) for value in old if value not in new)
    yield from ((f"can also be {_said(value)}", False, True) for value in new if value not in old)


def _members(before: Schema, after: Schema) -> Iterator[Change]:
    old, new = before["properties"].keys(), after["properties"].keys()
    # Unknown members are ignored: what a client sends is lost, what it reads is missing.
    yield from ((f"has no member {name} any more", True, True) for name in old - new)
    yield from ((f"has a new member {name}", False, False) for name in new - old)
    was, is_now = set(before["required"]), set(after["required"])
    yield from ((f"has to have {name}", True, False) for name in is_now - was)
    yield from ((f"need not have {name}", False, True) for name in was - is_now)


def _default(before: Schema, after: Schema) -> Iterator[Change]:
    # To leave it out has come to mean something else. Answers leave nothing out.
    if before.get("default") != after.get("default"):
        yield _was_and_is("default", before.get("default"), after.get("default")), True, False


def _title(before: Schema, after: Schema) -> Iterator[Change]:
    # Generated clients call their types by it.
    if before.get("title") != after.get("title"):
        yield _was_and_is("title", before.get("title"), after.get("title")), True, True


COMPARED = (_limits, _restrictions, _null, _listed, _members, _default, _title)


def _parts(before: Schema, after: Schema) -> Iterator[tuple[str, Any, Any]]:
    for name in before["properties"].keys() & after["properties"].keys():
        yield name, before["properties"][name], after["properties"][name]
    if "items" in before and "items" in after:
        yield "[]", before["items"], after["items"]
    others = before.get("additionalProperties", True), after.get("additionalProperties", True)
    if others != (True, True):
        yield "*", _schema_of_others(others[0]), _schema_of_others(others[1])


def _schema_of_others(others: Any) -> Schema:
    # `false` allows nothing, which in words of a schema is a value that is one of none.
    return {"enum": []} if others is False else {} if others is True else others


def _was_and_is(word: str, old: Any, new: Any) -> str:
    return f"{word} was {_said(old)} and is {_said(new)}"


def _said(value: Any) -> str:
    return "none" if value is None or value in (inf, -inf) else f"{value}"
