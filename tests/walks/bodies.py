"""Bodies that a contract takes, drawn out of its own schemas."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta, timezone
from functools import partial
from itertools import count
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.contract_walk import strict_validator_for

MOST_DRAWN = 300
"""The longest text that is drawn where the contract has none shorter: what is longer is for tests of limits."""

ZONES = ("UTC", "Asia/Kolkata", "Pacific/Kiritimati", "America/St_Johns", "Pacific/Pago_Pago", "Europe/Lisbon")

numbers = count(1)
# Whatever a text may hold, and more of what is special to some part of the way: patterns, SQL, JSON, white space.
_characters = st.characters(exclude_categories=["Cs"], exclude_characters="\0")
_texts = partial(st.text, st.one_of(st.sampled_from(" aAß%_/\\'\"\u00a0\u0085ﬁİ😀"), _characters))
_offsets = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
days = st.dates(date(2, 1, 1), date(9998, 12, 31))
instants = st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=_offsets | st.just(UTC))
_never_taken = st.builds(lambda end: f"{end}{next(numbers)}", st.sampled_from(["Ü", "x", "陳", "a b", "o'"]))

_FORMATS: dict[str, SearchStrategy[str]] = {
    "date": days.map(date.isoformat),
    "date-time": instants.map(datetime.isoformat),
    "timezone": st.sampled_from(ZONES),
    "uuid": st.uuids().map(str),
    "username": _never_taken,
    "email": _never_taken.map(lambda name: f"{name.replace(' ', '.')}@quintet.example"),
}


def values_of(schema: dict[str, Any]) -> SearchStrategy[Any]:
    """Draw values that a schema takes, its references resolved."""
    drawn = _drawn(schema).filter(strict_validator_for(schema).is_valid)
    return st.none() | drawn if schema.get("nullable") else drawn


def _drawn(schema: dict[str, Any]) -> SearchStrategy[Any]:
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    for part in schema.get("allOf", []):
        return _drawn(part)
    if "oneOf" in schema:
        return st.one_of(*map(values_of, schema["oneOf"]))
    return _DRAWN[schema["type"]](schema)


def _objects(schema: dict[str, Any]) -> SearchStrategy[dict[str, Any]]:
    members = {name: values_of(member) for name, member in schema.get("properties", {}).items()}
    required = {name: members.pop(name) for name in schema.get("required", [])}
    return st.fixed_dictionaries(required, optional=members)


def _texts_of(schema: dict[str, Any]) -> SearchStrategy[str]:
    if schema.get("format") in _FORMATS:
        return _FORMATS[schema["format"]]
    if "[0-9A-Fa-f]" in schema.get("pattern", ""):
        return st.from_regex(schema["pattern"], fullmatch=True)
    return _texts(min_size=schema.get("minLength", 0), max_size=min(MOST_DRAWN, schema["maxLength"]))


_DRAWN: dict[str, Callable[[dict[str, Any]], SearchStrategy[Any]]] = {
    "object": _objects,
    "array": lambda schema: st.lists(values_of(schema["items"]), max_size=min(3, schema["maxItems"])),
    "integer": lambda schema: st.integers(schema["minimum"], schema["maximum"]),
    "boolean": lambda _: st.booleans(),
    "string": _texts_of,
}
