"""What can be wrong with the input of a request. No message repeats what was sent."""

from typing import NamedTuple


class FieldError(NamedTuple):
    """One thing wrong with one member of the input: where, and what it must be."""

    field: str
    message: str


class BadInput(Exception):
    """The input breaks the contract's schema."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("bad input")
        self.errors = errors


class Unparsable(Exception):
    """The body is no JSON text; the message says what is wrong with it."""


class UnwritableText(Unparsable):
    """The body is a JSON text that holds what cannot be written in UTF-8."""
