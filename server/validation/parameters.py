"""Parameters of the path and the query, checked and converted by the contract's schemas."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from db.errors import NotFound
from language.errors import BadInput, FieldError
from server.validation.schemas import InputSchema

MOST_QUERY_FIELDS = 100

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_BOOLEANS = {"true": True, "false": False}
_BOUNDS_AND_WORDS = {"type", "format", "minimum", "maximum", "default", "title", "description", "example"}


class Parameter:
    """One parameter: what its text stands for, and whether the contract allows that."""

    def __init__(self, definition: Mapping[str, Any]) -> None:
        schema = definition["schema"]
        self.name: str = definition["name"]
        self.required: bool = definition.get("required", False)
        self.type: str = schema["type"]
        self.default: Any = schema.get("default")
        self.schema = InputSchema(schema)
        # An integer within its bounds needs no look at a schema that asks for no more: that takes 8 µs a request.
        has_bounds_alone = {"minimum", "maximum"} <= schema.keys() <= _BOUNDS_AND_WORDS
        self.integers = range(schema["minimum"], schema["maximum"] + 1) if has_bounds_alone else range(0)

    def read(self, text: str) -> Any:
        """Return the value that the text stands for by the schema's type and format. Raises `BadInput`."""
        value = self._typed(text)
        if isinstance(value, int) and value in self.integers:
            return value
        return self.schema.read(value, within=self.name)

    def _typed(self, text: str) -> Any:
        # A text that is no number stays a text, which the schema's `type` refuses.
        match self.type:
            case "integer":
                return int(text) if _INTEGER.fullmatch(text) else text
            case "boolean":
                return _BOOLEANS.get(text, text)
        return text


class PathParameters:
    """The parameters in an operation's path."""

    def __init__(self, definitions: list[dict[str, Any]], *, has_ids: bool) -> None:
        """Keep the path parameters of an operation; `has_ids` makes a value that breaks their schema a 404."""
        self.parameters = [Parameter(one) for one in definitions if one["in"] == "path"]
        self.has_ids = has_ids

    def read(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """Return the values of the path's parameters. Raises `NotFound` for an id that cannot be one, or `BadInput`."""
        try:
            return {parameter.name: parameter.read(texts[parameter.name]) for parameter in self.parameters}
        except BadInput as error:
            if self.has_ids:
                raise NotFound("There is nothing with this id.") from error
            raise


class QueryParameters:
    """The parameters in an operation's query."""

    def __init__(self, definitions: list[dict[str, Any]]) -> None:
        self.parameters = {one["name"]: Parameter(one) for one in definitions if one["in"] == "query"}
        self.defaults = {name: one.default for name, one in self.parameters.items()}
        self.required = {name for name, one in self.parameters.items() if one.required}

    def read(self, query: bytes) -> dict[str, Any]:
        """Return the values of the query's parameters, with the default of each that is absent. Raises `BadInput`.

        Unknown parameters are ignored.
        """
        values = dict(self.defaults)
        if not self.parameters or not (query or self.required):
            return values
        given = self._given(query)
        errors = [FieldError(name, "is required") for name in self.required - given.keys()]
        for name, text in given.items():
            try:
                values[name] = self.parameters[name].read(text)
            except BadInput as error:
                errors += error.errors
        if errors:
            raise BadInput(*errors)
        return values

    def _given(self, query: bytes) -> dict[str, str]:
        given: dict[str, str] = {}
        for name, text in _fields(query):
            if name in given:
                raise BadInput(FieldError(name, "must not be given more than once"))
            if name in self.parameters:
                given[name] = text
        return given


def _fields(query: bytes) -> list[tuple[str, str]]:
    try:
        return parse_qsl(
            query.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_QUERY_FIELDS
        )
    except ValueError as error:
        raise BadInput(FieldError("", "The query has to be short and in UTF-8")) from error
