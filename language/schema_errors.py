"""Words for what JSON Schema finds wrong. They name members and bounds of the contract, never what was sent."""

from collections.abc import Iterable
from typing import Any

from jsonschema import ValidationError

from language.errors import FieldError

MOST_ERRORS = 20
"""How many errors an answer lists: a longer list would say no more."""

_WORDS = {
    "minLength": "must have at least {} characters",
    "maxLength": "must have at most {} characters",
    "minimum": "must be at least {}",
    "maximum": "must be at most {}",
    "minItems": "must have at least {} items",
    "maxItems": "must have at most {} items",
    "minProperties": "must have at least {} members",
    "maxProperties": "must have at most {} members",
}
_TYPES = {
    "object": "an object",
    "array": "an array",
    "string": "a string",
    "integer": "an integer",
    "number": "a number",
    "boolean": "true or false",
}


def field_errors(errors: Iterable[ValidationError], *, within: str = "") -> list[FieldError]:
    """Say what is wrong with each member, each thing once, in the order found; no more than `MOST_ERRORS`."""
    found: dict[FieldError, None] = {}
    for error in errors:
        found[FieldError(_place(error, within), _message(error))] = None
        if len(found) == MOST_ERRORS:
            break
    return list(found)


def _place(error: ValidationError, within: str) -> str:
    steps = [str(step) for step in error.absolute_path]
    if error.validator == "required":
        steps.append(_missing_member(error))
    return ".".join([within, *steps] if within else steps)


def _missing_member(error: ValidationError) -> str:
    # The library makes one error for each missing member, with the whole list; its message starts with the name.
    members: list[str] = list(error.validator_value)  # type: ignore[arg-type]
    return next(name for name in members if error.message.startswith(repr(name)))


def _message(error: ValidationError) -> str:
    value: Any = error.validator_value
    match error.validator:
        case "required":
            return "is required"
        case "type" | "oneOf":
            types = [value] if error.validator == "type" else [one["type"] for one in value]
            return f"must be {' or '.join(_TYPES[one] for one in types)}{' or null' if _is_nullable(error) else ''}"
        case "enum":
            return f"must be one of {', '.join(str(word) for word in value)}"
        case "pattern":
            return str(_schema(error).get("x-message", "does not have the form that the contract asks for"))
        case "minLength" | "minItems" | "minProperties" if value == 1:
            return "must not be empty"
    return _WORDS.get(str(error.validator), "is not valid").format(value)


def _is_nullable(error: ValidationError) -> bool:
    return bool(_schema(error).get("nullable"))


def _schema(error: ValidationError) -> dict[str, Any]:
    return error.schema if isinstance(error.schema, dict) else {}
