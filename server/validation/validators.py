"""Connexion's `validator_map`: what checks the parameters of the query and the body of a request.

Connexion makes its validators, and a parser for each, anew at every request. It hands over the same definitions each
time, so here a validator is made once and kept (measured, that spares a request with a body 60 µs).
"""

from collections.abc import Callable
from typing import Any

from starlette.types import Receive, Scope

from language.errors import BadInput, FieldError
from language.strict_json import parse
from server.validation.parameters import QueryParameters
from server.validation.schemas import InputSchema


class ParameterValidator:
    """Checks and converts the parameters of the query; those of the path are the view's."""

    def __init__(self, definitions: list[dict[str, Any]]) -> None:
        self.query = QueryParameters(definitions)

    def validate(self, scope: Scope) -> None:
        """Write the parameters' values into Connexion's context. Raises `BadInput`."""
        if self.query.parameters:
            scope["extensions"]["connexion_context"].update(self.query.read(scope["query_string"]))


class BodyValidator:
    """Parses, checks and converts a body; an optional one that is left out counts as `{}`."""

    def __init__(self, schema: dict[str, Any], required: bool) -> None:
        self.required = required
        self.schema = InputSchema(schema)

    async def wrap_receive(self, receive: Receive, *, scope: Scope) -> tuple[Receive, Scope]:
        """Write the body's value into Connexion's context. Raises `Unparsable` or `BadInput`."""
        raw = (await receive())["body"]
        if self.required and not raw:
            raise BadInput(FieldError("", "A JSON body is required"))
        scope["extensions"]["connexion_context"]["body"] = self.schema.read(parse(raw)) if raw else {}
        return receive, scope


def no_parser(*_: Any) -> None:
    """Take the place of Connexion's parser of parameters, its `uri_parser_class`."""


def validator_map() -> dict[str, Any]:
    """Return the validators of an API."""
    bodies = _kept(BodyValidator)
    return {
        "parameter": _kept(ParameterValidator),
        "body": {"application/json": lambda *, schema, required, **_: bodies(schema, required)},
    }


def _kept(make: Callable[..., Any]) -> Callable[..., Any]:
    # The definition is kept beside what is made of it, so that its identity stays its own.
    made: dict[tuple[object, ...], tuple[object, Any]] = {}

    def get(definition: object, *more: object, **_: object) -> Any:
        key = (id(definition), *more)
        if key not in made:
            made[key] = definition, make(definition, *more)
        return made[key][1]

    return get
