"""Patterns, which OpenAPI means as ECMA 262 reads them.

They are run by RE2, whose time grows linearly with the text, whatever the pattern: a backtracking engine takes an hour
for a megabyte where a pattern can match one text in many ways.
"""

import re
from functools import cache

import re2

from language.texts import WHITE_SPACE

_PARTS_OF_PATTERN = re.compile(r"\\u([0-9A-Fa-f]{4})|\\.|.", re.DOTALL)


class Pattern:
    """A compiled pattern, which is searched for in a text."""

    def __init__(self, pattern: str) -> None:
        """Compile a pattern. Raises `re2.error` for one with what takes more than linear time, like lookahead."""
        options = re2.Options()
        options.never_capture, options.log_errors = True, False
        # A set of one pattern answers yes or no alone; where in the text it is found costs twice as much to tell.
        self._set = re2.Set.SearchSet(options)
        self._set.Add(_in_words_of_re2(pattern).encode())
        self._set.Compile()

    def matches(self, text: str) -> bool:
        """Check whether the pattern is found in a text."""
        return self._set.Match(text.encode(errors="surrogatepass")) is not None


@cache
def compiled(pattern: str) -> Pattern:
    """Compile a pattern, once."""
    return Pattern(pattern)


def _in_words_of_re2(pattern: str) -> str:
    # RE2's `$` is the end of the text, as in ECMA 262. Its `\s` is white space in ASCII alone, and it writes a
    # character by its number as `\x{…}`.
    parts: list[str] = []
    in_class = False
    for match in _PARTS_OF_PATTERN.finditer(pattern):
        part = match[0]
        in_class = part == "[" or (in_class and part != "]")
        if part == r"\s":
            part = WHITE_SPACE if in_class else f"[{WHITE_SPACE}]"
        parts.append(rf"\x{{{match[1]}}}" if match[1] else part)
    return "".join(parts)
