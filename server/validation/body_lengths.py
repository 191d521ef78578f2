"""How long a body can be that its schema allows, so that no operation reads more than it could ever use."""

import json
from collections.abc import Mapping
from math import inf
from typing import Any

ESCAPED_CHARACTER = 12
"""The most bytes that JSON takes for a character: it may be escaped, one beyond U+FFFF as two surrogates."""

ESCAPED_BYTE = 6
"""The most bytes that JSON takes for what is one byte in UTF-8."""

_OTHERS = {"integer": 32, "number": 32, "boolean": 5}
"""The longest usual texts of what is neither text nor list nor object."""


def longest(schema: Mapping[str, Any]) -> float:
    """Return the length in bytes of the longest JSON text that a schema allows, white space and unknown members aside.

    It is infinite where the schema sets no bounds. `x-most-bytes` bounds an object whose members are its sender's own.
    """
    if "enum" in schema:
        return max(ESCAPED_BYTE * len(json.dumps(value)) for value in schema["enum"])
    match schema.get("type"):
        case "string":
            return 2 + ESCAPED_CHARACTER * schema.get("maxLength", inf)
        case "array":
            return 2 + (longest(schema["items"]) + 1) * schema.get("maxItems", inf)
        case "object":
            return ESCAPED_BYTE * schema.get("x-most-bytes", inf if schema.get("additionalProperties") else 0) + sum(
                ESCAPED_BYTE * len(name) + longest(member) + len('"":,')
                for name, member in schema["properties"].items()
            )
        case None:
            return _longest_of_alternatives(schema)
    return _OTHERS[schema["type"]]


def _longest_of_alternatives(schema: Mapping[str, Any]) -> float:
    # One alternative is enough, whereas what has to fit several schemas is as short as the shortest wants it.
    alternatives = [longest(one) for one in (*schema.get("anyOf", []), *schema.get("oneOf", []))]
    together = [longest(one) for one in schema.get("allOf", [])]
    return min([max(alternatives, default=inf), *together])
