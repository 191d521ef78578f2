"""Checkers for the formats that the contracts name; JSON Schema itself leaves them unchecked."""

import re
from datetime import date
from uuid import UUID
from zoneinfo import available_timezones

from jsonschema import FormatChecker

from db.clock import instant

PASSWORD_BYTES = 1_024

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_INSTANT = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]+)?(Z|[+-][0-9]{2}:[0-9]{2})", re.IGNORECASE
)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", re.IGNORECASE)
_LABEL = "[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
# What HTML calls a valid e-mail address, with at least one dot in the domain.
_EMAIL = re.compile(rf"[a-z0-9.!#$%&'*+/=?^_`{{|}}~-]{{1,64}}@{_LABEL}(\.{_LABEL})+", re.IGNORECASE | re.ASCII)
_ZONES = available_timezones() - {"localtime"}
"""The IANA zones; what a machine calls its own is no zone to others."""

formats = FormatChecker(formats=())
"""The formats of the contracts. A checker says nothing of values that are not strings: `type` does."""


def _strings_of(name: str):
    return formats.checks(name, raises=(ValueError, OverflowError, KeyError, OSError))


@_strings_of("date")
def _is_day(value: object) -> bool:
    return not isinstance(value, str) or bool(_DAY.fullmatch(value) and date.fromisoformat(value))


@_strings_of("date-time")
def _is_instant(value: object) -> bool:
    # RFC 3339 with an offset; it must also be an instant when told in UTC (0001-01-01T00:00:00+14:00 is not).
    return not isinstance(value, str) or bool(_INSTANT.fullmatch(value) and instant(value))


@_strings_of("uuid")
def _is_uuid(value: object) -> bool:
    return not isinstance(value, str) or bool(_UUID.fullmatch(value) and UUID(value))


@_strings_of("email")
def _is_email(value: object) -> bool:
    return not isinstance(value, str) or bool(_EMAIL.fullmatch(value.strip()))


@_strings_of("password")
def _is_password(value: object) -> bool:
    return not isinstance(value, str) or len(value.encode()) <= PASSWORD_BYTES


@_strings_of("timezone")
def _is_timezone(value: object) -> bool:
    return not isinstance(value, str) or value in _ZONES
