"""The formats that the contracts name: a text is parsed once, which both checks it and gives handlers its value."""

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime
from sys import maxsize
from typing import Any, NamedTuple
from unicodedata import category
from uuid import UUID
from zoneinfo import available_timezones

from language.errors import FieldError
from language.texts import instant
from names import email_key, username_key

PASSWORD_BYTES = 1_024

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})", re.IGNORECASE
)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_ZONES = available_timezones() - {"localtime"}
"""The IANA zones; what a machine calls its own is no zone to others."""


class Format(NamedTuple):
    """A form that a text may have to have."""

    parse: Callable[[str], Any]
    """Returns what the text stands for. Raises `ValueError` or `OverflowError` for one of another form."""

    rule: str
    """What is said of a text of another form."""

    has_length: bool = True
    """Whether one that is too short is of another form for that alone, so that nothing else need be said of it."""


class BrokenRule(ValueError):
    """A text breaks one of several rules of a format, which the error says in the place of the format's own words."""


def _parse_day(text: str) -> date:
    return date.fromisoformat(_matched(_DAY, text))


def _parse_instant(text: str) -> datetime:
    # Its UTC reading must have a year too: that of 0001-01-01T00:00:00+14:00 has none.
    return instant(_matched(_INSTANT, text))


def _parse_uuid(text: str) -> UUID:
    return UUID(_matched(_UUID, text))


def _parse_email(text: str) -> str:
    email_key(text)
    return text


def _parse_username(text: str) -> str:
    username_key(text)
    return text


def _parse_password(text: str) -> str:
    if len(text.encode()) > PASSWORD_BYTES:
        raise ValueError
    return text


def _parse_strong_password(text: str) -> str:
    if len(text.encode()) > PASSWORD_BYTES:
        raise BrokenRule(FORMATS["password"].rule)
    categories = {category(character) for character in text}
    if not categories >= {"Lu", "Nd"} or not any(one[0] in "PS" for one in categories):
        raise ValueError
    return text


def _parse_timezone(text: str) -> str:
    if text not in _ZONES:
        raise ValueError
    return text


def _matched(pattern: re.Pattern[str], text: str) -> str:
    if not pattern.fullmatch(text):
        raise ValueError
    return text


FORMATS = {
    "date": Format(_parse_day, "must be a day as YYYY-MM-DD"),
    "date-time": Format(_parse_instant, "must be an instant with an offset, as 2026-01-31T12:00:00Z"),
    "uuid": Format(_parse_uuid, "must be a UUID"),
    "email": Format(_parse_email, "must be an e-mail address"),
    "username": Format(
        _parse_username,
        "must be made of letters, digits and ASCII punctuation other than @, with single spaces inside (RFC 8265)",
    ),
    "password": Format(_parse_password, f"must have at most {PASSWORD_BYTES} bytes", has_length=False),
    "strong-password": Format(
        _parse_strong_password, "must hold an uppercase letter, a digit and a symbol", has_length=False
    ),
    "timezone": Format(_parse_timezone, "must be an IANA time zone"),
}


class Conversion:
    """What a schema's formats make of a value: a text becomes what it stands for, also in members of members."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.format = FORMATS.get(schema.get("format", ""))
        self.most_characters: int = schema.get("maxLength", maxsize)
        self.empty_is_null: bool = schema.get("x-empty-is-null", False)
        members = {name: Conversion(member) for name, member in schema.get("properties", {}).items()}
        self.members = {name: member for name, member in members.items() if member.changes_something}

    @property
    def changes_something(self) -> bool:
        """Whether the schema names a format at all, for itself or for a member."""
        return self.format is not None or bool(self.members)

    def apply(self, value: Any, errors: list[FieldError], *, place: str = "") -> Any:
        """Return the converted value, and add what is wrong with its texts to the errors.

        What is not of the schema's type or is too long stays as it is, for the schema itself to refuse. An empty text
        becomes None where the schema says so (`x-empty-is-null`).
        """
        if self.format is not None and isinstance(value, str) and len(value) <= self.most_characters:
            return _converted(value, self.format, errors, place) if value or not self.empty_is_null else None
        if self.members and isinstance(value, dict):
            return {name: self._member(name, one, errors, place) for name, one in value.items()}
        return value

    def _member(self, name: str, value: Any, errors: list[FieldError], place: str) -> Any:
        member = self.members.get(name)
        return value if member is None else member.apply(value, errors, place=f"{place}.{name}" if place else name)


def _converted(text: str, to: Format, errors: list[FieldError], place: str) -> Any:
    try:
        return to.parse(text)
    except (ValueError, OverflowError) as error:
        errors.append(FieldError(place, str(error) if isinstance(error, BrokenRule) else to.rule))
        return text
