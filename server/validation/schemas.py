"""JSON Schema as the contracts mean it: Connexion's dialect of it, with patterns read as ECMA 262 reads them."""

from collections.abc import Iterator, Mapping
from itertools import chain
from sys import maxsize
from typing import Any

from connexion.json_schema import Draft4RequestValidator
from jsonschema import ValidationError
from jsonschema.protocols import Validator
from jsonschema.validators import extend

from language.errors import BadInput, FieldError
from language.formats import Conversion
from language.patterns import compiled
from language.schema_errors import field_errors


class InputSchema:
    """The schema of a parameter or a body, which its values are checked and converted by."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.validator = validator_for(schema)
        self.conversion = Conversion(schema)
        self.converts = self.conversion.changes_something

    def read(self, value: Any, *, within: str = "") -> Any:
        """Check a value, and return it with the texts of all formats converted. Raises `BadInput`.

        `within` is the name of the value itself, which errors put before the names of its members.
        """
        found = self.validator.iter_errors(value)
        first = next(found, None)
        if first is None and not self.converts:
            return value
        malformed: list[FieldError] = []
        converted = self.conversion.apply(value, malformed, place=within)
        if first is not None or malformed:
            errors = found if first is None else chain([first], found)
            raise BadInput(*field_errors(errors, malformed, within=within))
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


def _pattern(_validator: Any, pattern: str, instance: object, schema: Any) -> Iterator[ValidationError]:
    # Nor is a text looked at that is too long; other keywords do not look at more than its length.
    if not isinstance(instance, str) or len(instance) > schema.get("maxLength", maxsize):
        return
    if not compiled(pattern).matches(instance):
        yield ValidationError("does not match")


def _one_of(validator: Any, alternatives: list[dict[str, Any]], instance: object, schema: Any) -> Any:
    # Where one alternative alone is of the value's type, it was meant, and says what is wrong at which place.
    meant = [one for one in alternatives if validator.is_type(instance, one["type"])]
    if len(meant) == 1:
        return validator.descend(instance, *meant)
    return Draft4RequestValidator.VALIDATORS["oneOf"](validator, alternatives, instance, schema)


ContractValidator = extend(
    Draft4RequestValidator,
    {
        "items": _unless_too_long("items"),
        "uniqueItems": _unless_too_long("uniqueItems"),
        "oneOf": _one_of,
        "pattern": _pattern,
    },
)
