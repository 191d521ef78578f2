from datetime import UTC, date, datetime
from typing import Any
from uuid import UUID

import pytest

from language.errors import BadInput, FieldError
from language.formats import FORMATS
from server.validation.schemas import InputSchema, validator_for
from tests.look_alikes import full_width

GOOD = {
    "date": ["2026-02-28", "2024-02-29", "0001-01-01", "9999-12-31"],
    "date-time": [
        "2026-01-31T12:00:00Z",
        "2026-01-31t12:00:00z",
        "2026-01-31T12:00:00.123456789Z",
        "2026-01-31T12:00:00.1+14:00",
        "2026-01-31T12:00:00-12:00",
    ],
    "uuid": ["3f1c5a1e-8d8b-4f5e-9d61-6a4d7c0a9b11", "3F1C5A1E-8D8B-4F5E-9D61-6A4D7C0A9B11"],
    "email": [
        "a@b.de",
        " a@b.de ",
        "a.b+c@sub.example.org",
        "x!#$%&'*@example.org",
        "a@quintet.example",
        "a@host.test",
        "a@host.local",
        "jürgen@müller.example",
        "用户@例え.テスト",
        f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 58}.de",
    ],
    "username": [
        "a",
        "maya.lindqvist",
        "john doe",
        "Jürgen von Müller",
        "José",
        "Jose\N{COMBINING ACUTE ACCENT}",
        full_width("maya"),
        "小明",
        "אבג",
        "!#$%&'*+-/=?^_`{|}~.",
        "x" * 64,
        "ä" * 64,
    ],
    "password": ["a", "\xe4" * 512, "x" * 1024],
    "strong-password": [
        "Aa1-",
        "Ömlautes1!",
        "Жук№٣",
        "A1_",
        "A1$",
        "A1🌱",
        "\N{GREEK CAPITAL LETTER ALPHA}\N{FULLWIDTH DIGIT ONE}\N{IDEOGRAPHIC FULL STOP}",
        *(f"A1{symbol}" for symbol in "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"),
        "A1-" + "\xe4" * 510 + "a",
    ],
    "timezone": ["UTC", "Europe/Berlin", "America/Argentina/Ushuaia"],
}
BAD = {
    "date": [
        "",
        "2026-2-3",
        "2026-02-30",
        "2025-02-29",
        "20260228",
        "2026-W09-6",
        "0000-01-01",
        "2026-02-28T00:00:00Z",
        "2026-02-28\n",
        " 2026-02-28",
        "2026\u201302\u201328",
        "\u0662026-02-28",
        "10000-01-01",
    ],
    "date-time": [
        "",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-01-31 12:00:00Z",
        "2026-01-31T24:00:00Z",
        "2026-01-31T12:00Z",
        "2026-01-31T12:00:00+2",
        "2026-01-31T12:00:00+25:00",
        "2026-01-31T12:00:61Z",
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-01:00",
        "2026-01-31T12:00:00Z\n",
        "2026-01-31T12:00:00.Z",
    ],
    "uuid": [
        "",
        "7",
        "3f1c5a1e8d8b4f5e9d616a4d7c0a9b11",
        "{3f1c5a1e-8d8b-4f5e-9d61-6a4d7c0a9b11}",
        "3f1c5a1e-8d8b-4f5e-9d61-6a4d7c0a9b1",
        "3f1c5a1e-8d8b-4f5e-9d61-6a4d7c0a9b11\n",
        "3g1c5a1e-8d8b-4f5e-9d61-6a4d7c0a9b11",
    ],
    "email": [
        *["", "@", "a@b", "a b@c.de", "a@b..de", "a@-b.de", "a@b.de,c@d.de", "a@b@c.de", "a@b.de\nx", "<a@b.de>"],
        *["a..b@c.de", '"a b"@c.de', "a@[127.0.0.1]", "a@1.2.3.4", "a\u200bb@c.de", "a\0@b.de", "ﷺ" * 50 + "@b.de"],
        *[f"{'a' * 64}@{'b' * 63}.{'c' * 63}.{'d' * 59}.de", "a" * 100_000, "a@" + "b." * 50_000 + "de"],
    ],
    "username": [
        "",
        " ",
        " maya",
        "maya ",
        "john  doe",
        "john\N{NO-BREAK SPACE}doe",
        "john\tdoe",
        "maya@home",
        "maya\N{FULLWIDTH COMMERCIAL AT}home",
        "ma\N{ZERO WIDTH SPACE}ya",
        "ma\N{ZERO WIDTH JOINER}ya",
        "ma\N{SOFT HYPHEN}ya",
        "\N{RIGHT-TO-LEFT MARK}maya",
        "\N{RIGHT-TO-LEFT OVERRIDE}ayam",
        "אa",
        "\N{HANGUL FILLER}",
        "\N{BRAILLE PATTERN BLANK}",
        "ﬁona",
        "\N{LATIN SMALL LETTER LONG S}am",
        "🙂",
        "maya\0",
        "x" * 65,
        "x" * 100_000,
    ],
    "password": ["x" * 1025, "\xe4" * 513],
    "strong-password": [
        "",
        "Passworté1",
        "Passworte\N{COMBINING ACUTE ACCENT}1",
        "Password1 \t\N{NO-BREAK SPACE}",
        "Password1\x01\N{ZERO WIDTH JOINER}",
        "Password1½Ⅷ",
        "Passwort-½",
        "passwort-1",
        "小明小明-1",
        "\N{LATIN CAPITAL LETTER D WITH SMALL LETTER Z WITH CARON}amija-1",
        "Password-one",
    ],
    "timezone": ["", "Mars/Olympus", "../UTC", "/UTC", "utc\0", "Europe", "UTC\n", "x" * 5_000],
}


def cases(samples: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(name, text) for name, texts in samples.items() for text in texts]


def test_all_formats_have_samples():
    assert GOOD.keys() == BAD.keys() == set(FORMATS)


NIL = UUID(int=0)

PATTERN = {"type": "object", "nullable": True, "properties": {"end_date": {"type": "string", "format": "date-time"}}}
BODY = {
    "type": "object",
    "required": ["title"],
    "properties": {
        "title": {"type": "string"},
        "due_date": {"type": "string", "nullable": True, "format": "date", "maxLength": 10},
        "pattern": PATTERN,
        "settings": {"type": "object", "properties": {}, "additionalProperties": True},
    },
}


def errors_of(schema: dict[str, Any], value: Any, within: str = "") -> list[FieldError]:
    with pytest.raises(BadInput) as refused:
        InputSchema(schema).read(value, within=within)
    return list(refused.value.errors)


@pytest.mark.parametrize(("name", "text"), cases(GOOD))
def test_a_text_of_the_format_is_allowed(name: str, text: str):
    assert InputSchema({"type": "string", "format": name}).read(text) is not None


@pytest.mark.parametrize(("name", "text"), cases(BAD), ids=lambda text: text[:30])
def test_a_text_of_another_form_is_refused(name: str, text: str):
    assert errors_of({"type": "string", "format": name}, text, "x") == [FieldError("x", FORMATS[name].rule)]


@pytest.mark.parametrize("text", ["A1-" + "x" * 1022, "A1-" + "\xe4" * 511, "\xe4" * 513])
def test_a_strong_password_with_too_many_bytes_is_told_just_that(text: str):
    assert errors_of({"type": "string", "format": "strong-password"}, text, "x") == [
        FieldError("x", "must have at most 1024 bytes")
    ]


@pytest.mark.parametrize("name", GOOD)
def test_a_format_says_nothing_of_what_is_no_string(name: str):
    assert InputSchema({"format": name}).read(7) == 7


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("date", "2026-02-28", date(2026, 2, 28)),
        ("date-time", "2026-02-28t23:30:00.5-07:30", datetime(2026, 3, 1, 7, 0, 0, 500_000, UTC)),
        ("uuid", "00000000-0000-0000-0000-000000000000", NIL),
        ("email", " a@b.de ", " a@b.de "),
        ("username", "Jürgen", "Jürgen"),
        ("password", "secret", "secret"),
        ("strong-password", "Ömlautes1!", "Ömlautes1!"),
        ("timezone", "Europe/Berlin", "Europe/Berlin"),
    ],
)
def test_a_text_becomes_what_its_format_means(name: str, text: str, value: Any):
    read = InputSchema({"type": "string", "format": name}).read(text)

    assert (read, type(read)) == (value, type(value))


def test_an_instant_is_read_in_utc():
    read = InputSchema({"type": "string", "format": "date-time"}).read("2026-02-28T12:00:00+14:00")

    assert read.tzinfo is UTC


def test_members_are_converted_and_those_of_members_too():
    body = {"title": "x", "due_date": "2026-02-28", "pattern": {"end_date": "2026-03-01T00:00:00Z"}}

    assert InputSchema(BODY).read(body) == {
        "title": "x",
        "due_date": date(2026, 2, 28),
        "pattern": {"end_date": datetime(2026, 3, 1, tzinfo=UTC)},
    }


@pytest.mark.parametrize(
    "body",
    [
        {"title": "x"},
        {"title": "x", "due_date": None, "pattern": None},
        {"title": "2026-02-28", "day": "2026-02-28"},
        {"title": "x", "settings": {"due_date": "2026-02-28", "id": str(NIL)}},
    ],
    ids=["absent", "null", "of no format", "in a free object"],
)
def test_all_else_in_a_body_stays_as_it_was_sent(body: dict[str, Any]):
    assert InputSchema(BODY).read(body) == body


def test_a_text_of_another_form_hides_nothing_else_that_is_wrong():
    body = {"due_date": "not a day at all", "pattern": {"end_date": "tomorrow"}, "settings": 7}

    assert set(errors_of(BODY, body)) == {
        FieldError("title", "is required"),
        FieldError("due_date", "must have at most 10 characters"),
        FieldError("pattern.end_date", "must be an instant with an offset, as 2026-01-31T12:00:00Z"),
        FieldError("settings", "must be an object"),
    }


@pytest.mark.parametrize("body", [[], "x", 7, None, {"title": "x", "pattern": "2026-02-28"}])
def test_what_has_no_members_to_convert_is_refused_by_its_type(body: Any):
    assert [error.message.partition(" or ")[0] for error in errors_of(BODY, body)] == ["must be an object"]


@pytest.mark.parametrize("text", ["ab\n", "\nab", "ab\u2028", "xab", ""])
def test_a_pattern_ends_where_the_text_ends(text: str):
    assert not validator_for({"type": "string", "pattern": "^ab$"}).is_valid(text)


def test_an_escaped_dollar_stays_a_dollar():
    assert validator_for({"type": "string", "pattern": r"^a\$"}).is_valid("a$b")
