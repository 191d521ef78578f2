import pytest

from server.validation.formats import formats
from server.validation.schemas import validator_for

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
    "email": ["a@b.de", " a@b.de ", "a.b+c@sub.example.org", "x!#$%&'*@example.org"],
    "password": ["a", "\xe4" * 512, "x" * 1024],
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
    "email": ["", "@", "a@b", "a b@c.de", "a@b..de", "a@-b.de", "a@b.de,c@d.de", "a@b@c.de", "a@b.de\nx", "<a@b.de>"],
    "password": ["x" * 1025, "\xe4" * 513],
    "timezone": ["", "Mars/Olympus", "../UTC", "/UTC", "utc\0", "Europe", "UTC\n", "x" * 5_000],
}


def cases(samples: dict[str, list[str]]) -> list[tuple[str, str]]:
    return [(name, text) for name, texts in samples.items() for text in texts]


def test_all_formats_have_samples():
    assert GOOD.keys() == BAD.keys() == set(formats.checkers)


@pytest.mark.parametrize(("name", "text"), cases(GOOD))
def test_a_text_of_the_format_is_allowed(name: str, text: str):
    assert validator_for({"type": "string", "format": name}).is_valid(text)


@pytest.mark.parametrize(("name", "text"), cases(BAD), ids=lambda text: text[:30])
def test_a_text_of_another_form_is_refused(name: str, text: str):
    assert not validator_for({"type": "string", "format": name}).is_valid(text)


@pytest.mark.parametrize("name", GOOD)
def test_a_format_says_nothing_of_what_is_no_string(name: str):
    assert validator_for({"format": name}).is_valid(7)


@pytest.mark.parametrize("text", ["ab\n", "\nab", "ab\u2028", "xab", ""])
def test_a_pattern_ends_where_the_text_ends(text: str):
    assert not validator_for({"type": "string", "pattern": "^ab$"}).is_valid(text)


def test_an_escaped_dollar_stays_a_dollar():
    assert validator_for({"type": "string", "pattern": r"^a\$"}).is_valid("a$b")
