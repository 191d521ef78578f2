"""JSON Schema as the contracts mean it: Connexion's dialect of it, with patterns read as ECMA 262 reads them."""

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from connexion.json_schema import Draft4RequestValidator
from jsonschema import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from language import WHITE_SPACE
from server.errors.refusals import BadInput
from server.validation.formats import Conversion
from server.validation.schema_errors import MOST_ERRORS, field_errors

_PARTS_OF_PATTERN = re.compile(r"\\.|.", re.DOTALL)


class InputSchema:
    """The schema of a parameter or a body, which its values are checked and converted by."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.validator = validator_for(schema)
        self.conversion = Conversion(schema)

    def read(self, value: Any, *, within: str = "") -> Any:
        """Check a value, and return it with the texts of all formats converted. Raises `BadInput`.

        `within` is the name of the value itself, which errors put before the names of its members.
        """
        errors = field_errors(self.validator.iter_errors(value), within=within)
        converted = self.conversion.apply(value, errors, place=within)
        if errors:
            raise BadInput(*errors[:MOST_ERRORS])
        return converted


def validator_for(schema: Any) -> Validator:
    """Build the validator of a schema. It leaves formats unchecked: they are checked as texts are converted."""
    return ContractValidator(schema)


def _unless_too_long(keyword: str) -> Any:
    # A list that is too long is refused for that alone: looking at half a million items would stop everybody else.
    check: Any = Draft4RequestValidator.VALIDATORS[keyword]

    def errors(validator: Any, value: Any, instance: object, schema: Any) -> Iterator[ValidationError]:
        if not isinstance(instance, list) or len(instance) <= schema.get("maxItems", len(instance)):
            yield from check(validator, value, instance, schema) or ()

    return errors


def _pattern(_validator: Any, pattern: str, instance: object, _schema: Any) -> Iterator[ValidationError]:
    if isinstance(instance, str) and not _compiled(pattern).search(instance):
        yield ValidationError("does not match")


@cache
def _compiled(pattern: str) -> re.Pattern[str]:
    # In Python `$` also matches before a final newline, in ECMA 262 it does not.
    return re.compile(re.sub(r"(?<!\\)\$$", r"\\Z", _with_ecma_white_space(pattern)))


def _with_ecma_white_space(pattern: str) -> str:
    # Nor is `\s` quite the same: U+0085 is white space to Python alone, U+FEFF to ECMA 262 alone.
    parts: list[str] = []
    in_class = False
    for part in _PARTS_OF_PATTERN.findall(pattern):
        in_class = part == "[" or (in_class and part != "]")
        spelled_out = WHITE_SPACE if in_class else f"[{WHITE_SPACE}]"
        parts.append(spelled_out if part == r"\s" else part)
    return "".join(parts)


ContractValidator = extend(
    Draft4RequestValidator,
    {"items": _unless_too_long("items"), "uniqueItems": _unless_too_long("uniqueItems"), "pattern": _pattern},
)
