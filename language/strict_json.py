"""JSON texts, parsed once and strictly: what parsers disagree about is refused."""

import json
import re
from itertools import accumulate
from math import isfinite
from typing import Any

from language.errors import Unparsable, UnwritableText

MOST_DEPTH = 64
"""The deepest nesting of objects and arrays that is parsed."""

MOST_VALUES = 16_384
"""How many values, those in objects and arrays included, are parsed at most: more would keep everybody waiting.

As many as fit into preferences of 16 KiB; no other member of any contract can hold a tenth of it.
"""

_INTEGERS = range(-(2**63), 2**64)
"""The integers that stay integers; others become floats, as the databases and the JSON of answers can hold them."""

_STRINGS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_SURROGATES = re.compile(rb"\\u[dD][89a-fA-F]")
_MOST_QUOTES = 4 * MOST_VALUES
"""A value is named by a string and is one itself, with two quotation marks each."""

_NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"[]{}")
_STEPS = bytes.maketrans(b"[{]}", b"\x01\x01\xff\xff")
"""One level down and, read as a signed byte, one level up."""


def parse(raw: bytes) -> Any:
    """Parse a JSON text (RFC 8259) in UTF-8, refusing what parsers disagree about. Raises `Unparsable`.

    Refused are two members of one name, lone surrogates, NaN, infinities, more than `MOST_DEPTH` levels and more than
    `MOST_VALUES` values.
    """
    _refuse_too_many(raw)
    try:
        value = _DECODER.decode(raw.decode())
    except ValueError as error:
        raise Unparsable("The body is not a JSON text in UTF-8.") from error
    if _SURROGATES.search(raw) and _has_lone_surrogates(value):
        raise UnwritableText("The body has a text with half a surrogate pair.")
    return value


def _with_unique_names(members: list[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(members)
    if len(named) != len(members):
        raise Unparsable("The body has an object with two members of the same name.")
    return named


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is not JSON")


def _finite(text: str) -> float:
    number = float(text)
    if not isfinite(number):
        raise ValueError("no float is as large")
    return number


def _integer(text: str) -> int | float:
    # No integer of 64 bits has more than 20 characters, and Python takes its time with those of thousands.
    number = int(text[:21])
    return number if number in _INTEGERS else _finite(text)


_DECODER = json.JSONDecoder(
    object_pairs_hook=_with_unique_names, parse_constant=_no_constant, parse_float=_finite, parse_int=_integer
)


def _has_lone_surrogates(value: Any) -> bool:
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return True
    return False


def _refuse_too_many(raw: bytes) -> None:
    # Nearly every body has too few brackets and commas to be too deep or too long, and is not looked at any further.
    # Else those in strings are left out first. A megabyte of anything must not stop the event loop, so each step is
    # one pass in C over what the step before it has let through.
    brackets, commas = raw.count(b"[") + raw.count(b"{"), raw.count(b",")
    if brackets <= MOST_DEPTH and brackets + commas <= MOST_VALUES:
        return
    if raw.count(b'"') - raw.count(b'\\"') > _MOST_QUOTES:
        raise Unparsable(f"The body holds more than {MOST_VALUES} values.")
    bare = _STRINGS.sub(b"", raw)
    steps = bare.translate(_STEPS, _NO_BRACKETS)
    if bare.count(b",") + len(steps) // 2 > MOST_VALUES:
        raise Unparsable(f"The body holds more than {MOST_VALUES} values.")
    if max(accumulate(memoryview(steps).cast("b")), default=0) > MOST_DEPTH:
        raise Unparsable(f"The body nests deeper than {MOST_DEPTH} levels.")
