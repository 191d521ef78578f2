"""Patterns, which OpenAPI means as ECMA 262 reads them."""

import re
from functools import cache

from language.texts import WHITE_SPACE

_PARTS_OF_PATTERN = re.compile(r"\\.|.", re.DOTALL)


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern, which is searched for in a text."""
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
