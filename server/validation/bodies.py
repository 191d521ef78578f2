"""Request bodies: JSON in UTF-8, parsed strictly and checked by the contract's schema."""

import json
import re
from collections.abc import Mapping
from typing import Any

import orjson

from server.errors.refusals import BadInput, FieldError, Unparsable, UnwritableText
from server.validation.schema_errors import field_errors
from server.validation.schemas import validator_for

MOST_BYTES = 1_048_576
"""The longest body that is read: 1 MiB."""

MOST_DEPTH = 64
"""The deepest nesting of objects and arrays that is parsed."""

_STRINGS = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"?', re.DOTALL)
_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_SQUARE = bytes.maketrans(b"{}", b"[]")


class Body:
    """The body of one operation's requests."""

    def __init__(self, schema: Mapping[str, Any], *, required: bool) -> None:
        self.required = required
        self.validator = validator_for(schema)

    def read(self, raw: bytes) -> Any:
        """Parse and check a body; an optional one that is left out reads as `{}`.

        Raises `Unparsable` or `BadInput`.
        """
        if not raw:
            return self._left_out()
        value = parse(raw)
        errors = field_errors(self.validator.iter_errors(value))
        if errors:
            raise BadInput(*errors)
        return value

    def _left_out(self) -> dict[str, Any]:
        if self.required:
            raise BadInput(FieldError("", "A JSON body is required"))
        return {}


def parse(raw: bytes) -> Any:
    """Parse a JSON text (RFC 8259), refusing what parsers disagree about. Raises `Unparsable`.

    orjson refuses bytes that are not UTF-8, lone surrogates and NaN; it takes the last of two equal names in
    silence, so the standard parser reads the text once more for those.
    """
    if _is_deeper_than(MOST_DEPTH, raw):
        raise Unparsable(f"The body nests deeper than {MOST_DEPTH} levels.")
    try:
        value = orjson.loads(raw)
        json.loads(raw, object_pairs_hook=_with_unique_names)
    except _DuplicateName as error:
        raise Unparsable("The body has an object with two members of the same name.") from error
    except ValueError as error:
        if _has_lone_surrogates(raw):
            raise UnwritableText("The body has a text with half a surrogate pair.") from error
        raise Unparsable("The body is not a JSON text in UTF-8.") from error
    return value


def _has_lone_surrogates(raw: bytes) -> bool:
    try:
        json.dumps(json.loads(raw.decode()), ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    except ValueError:
        return False
    return False


class _DuplicateName(Exception):
    pass


def _with_unique_names(members: list[tuple[str, Any]]) -> None:
    if len({name for name, _ in members}) != len(members):
        raise _DuplicateName


def _is_deeper_than(limit: int, raw: bytes) -> bool:
    # Nearly every body has fewer brackets than the limit; of one that has more, the innermost pairs are taken away
    # level by level. All of it runs in C: a megabyte of brackets must not stop the event loop.
    if raw.count(b"[") + raw.count(b"{") <= limit:
        return False
    brackets = _STRINGS.sub(b"", raw).translate(_SQUARE, _NO_BRACKETS)
    if b"[" * (limit + 1) in brackets:
        return True
    for _ in range(limit):
        brackets = brackets.replace(b"[]", b"")
    return b"[" in brackets
