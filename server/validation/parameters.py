"""Parameters of the path and the query, checked and converted by the contract's schemas."""

import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from db.errors import NotFound
from server.errors.refusals import BadInput, FieldError
from server.validation.schema_errors import field_errors
from server.validation.schemas import validator_for

MOST_QUERY_FIELDS = 100

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,18})")
_BOOLEANS = {"true": True, "false": False}


class Parameter:
    """One parameter: what its text means and whether that is allowed."""

    def __init__(self, definition: Mapping[str, Any]) -> None:
        self.name: str = definition["name"]
        self.required: bool = definition.get("required", False)
        self.schema: Mapping[str, Any] = definition["schema"]
        self.validator = validator_for(self.schema)

    def read(self, text: str) -> Any:
        """Read the value that the text stands for. Raises `BadInput`."""
        value = self._convert(text)
        errors = field_errors(self.validator.iter_errors(value), within=self.name)
        if errors:
            raise BadInput(*errors)
        return value

    def _convert(self, text: str) -> Any:
        # What is no number stays text, and the schema's `type` refuses it.
        match self.schema["type"]:
            case "integer":
                return int(text) if _INTEGER.fullmatch(text) else text
            case "boolean":
                return _BOOLEANS.get(text, text)
        return text


class PathParameters:
    """The parameters in an operation's path."""

    def __init__(self, definitions: list[dict[str, Any]], *, has_ids: bool) -> None:
        """Take the path parameters of an operation; `has_ids` says that what cannot be one of them is a 404."""
        self.parameters = [Parameter(one) for one in definitions if one["in"] == "path"]
        self.has_ids = has_ids

    def read(self, texts: Mapping[str, str]) -> dict[str, Any]:
        """Read the path's parameters. Raises `NotFound` for an id that cannot be one, else `BadInput`."""
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
        self.defaults = {name: one.schema.get("default") for name, one in self.parameters.items()}
        self.required = {name for name, one in self.parameters.items() if one.required}

    def read(self, query: bytes) -> dict[str, Any]:
        """Read the query's parameters, absent ones at their default. Unknown ones are ignored. Raises `BadInput`."""
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
