"""Words for what JSON Schema finds wrong. They name members and bounds of the contract, never what was sent."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any

from jsonschema import ValidationError

from language.errors import FieldError
from language.formats import FORMATS

MOST_ERRORS = 20
"""How many errors an answer lists: a longer list would say no more."""

_FOLLOWING: Mapping[str, frozenset[str]] = {
    "enum": frozenset({"type"}),
    "type": frozenset({"minimum", "maximum"}),
    "empty": frozenset({"pattern", "format"}),
    "format": frozenset({"pattern", "length of the form"}),
    "pattern": frozenset({"length of the form"}),
}
"""For each kind of mistake the kinds that follow from it in the same place, and are not told beside it."""

_WORDS = {
    "required": "is required",
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


def field_errors(
    errors: Iterable[ValidationError], malformed: Iterable[FieldError] = (), *, within: str = ""
) -> list[FieldError]:
    """Say what is wrong with each member, each mistake once, in the order found; no more than `MOST_ERRORS`.

    `malformed` is what is wrong with the formats of texts, which JSON Schema does not look at here.
    """
    found: dict[str, dict[str, str]] = {}
    for error in errors:
        found.setdefault(_place(error, within), {})[_message(error)] = _kind(error)
        if len(found) == MOST_ERRORS:
            break
    for place, rule in malformed:
        found.setdefault(place, {})[rule] = "format"
    told = (FieldError(place, message) for place, kinds in found.items() for message in _mistakes(kinds))
    return list(islice(told, MOST_ERRORS))


def _mistakes(kinds: Mapping[str, str]) -> list[str]:
    following = {one for kind in kinds.values() for one in _FOLLOWING.get(kind, ())}
    return [message for message, kind in kinds.items() if kind not in following]


def _kind(error: ValidationError) -> str:
    if error.validator != "minLength":
        return str(error.validator)
    schema = _schema(error)
    if error.instance == "":
        return "empty"
    form = FORMATS.get(schema.get("format", ""))
    has_length = schema["minLength"] == schema.get("maxLength") if form is None else form.has_length
    return "length of the form" if has_length else "minLength"


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
        case "type" | "oneOf":
            types = [value] if error.validator == "type" else [one["type"] for one in value]
            return f"must be {' or '.join(_TYPES[one] for one in types)}{' or null' if _is_nullable(error) else ''}"
        case "enum":
            return f"must be one of {', '.join(str(word) for word in value)}"
        case "pattern":
            return _form(error)
        case "minLength" | "minItems" | "minProperties" if not error.instance:
            return "must not be empty"
    return _WORDS.get(str(error.validator), "is not valid").format(value)


def _form(error: ValidationError) -> str:
    if "\0" in str(error.instance):  # No text of a request may hold one, whatever else its pattern asks for.
        return "must hold no NUL character"
    return str(_schema(error).get("x-message", "does not have the form that the contract asks for"))


def _is_nullable(error: ValidationError) -> bool:
    return bool(_schema(error).get("nullable"))


def _schema(error: ValidationError) -> dict[str, Any]:
    return error.schema if isinstance(error.schema, dict) else {}
