import json
from contextlib import suppress
from time import thread_time

import orjson
import pytest

from language.errors import Unparsable, UnwritableText
from language.strict_json import MOST_VALUES, parse
from server.validation.reading import MOST_BYTES

SAMPLES = ["null", "true", "[]", "{}", '""', ' {"a" : [1, -2.5e3, "b", {"c": null}] } ', r'"\u0041\n\"\\\ud83d\ude00"']
SAMPLES += ["0", "-1", "1.0", "9007199254740993", str(2**63), str(2**64 - 1), str(-(2**63)), "1e308", "1e-400"]
SAMPLES += ['"\u2028\u007f\U0010ffff"', r'"\\ud800"', r'{"\\ud800": "\u0000"}', "\t\r\n[ 7 ]"]


@pytest.mark.parametrize("text", SAMPLES)
def test_a_json_text_is_parsed_as_others_parse_it(text: str):
    value = parse(text.encode())

    assert (value, type(value)) == (orjson.loads(text), type(orjson.loads(text)))
    assert value == json.loads(text)


@pytest.mark.parametrize("integer", [2**64, -(2**63) - 1, 10**25, -(10**300)])
def test_an_integer_of_more_than_64_bits_becomes_a_float(integer: int):
    value = parse(b"[%d]" % integer)

    assert value == [float(integer)]
    assert isinstance(value[0], float)
    assert orjson.loads(orjson.dumps(value)) == value


@pytest.mark.parametrize("text", [rb'"\ud800"', rb'{"a": ["\uDFFF"]}', rb'{"\udbff": 1}', rb'"\ud83d \ude00"'])
def test_half_a_surrogate_pair_is_json_all_the_same(text: bytes):
    with pytest.raises(UnwritableText):
        parse(text)


@pytest.mark.parametrize("value", ["[]", "{}", "0", '""', '[""]', '{"":0}'])
def test_many_values_are_parsed_and_more_are_not(value: str):
    size = MOST_VALUES // 2 - 1
    few, many = ("[" + ",".join([value] * count) + "]" for count in (size, 2 * MOST_VALUES))

    assert len(parse(few.encode())) == size
    with pytest.raises(Unparsable, match="16384 values"):
        parse(many.encode())


def test_what_stands_in_a_string_is_no_value():
    text = json.dumps([",[{]}" * MOST_VALUES, '",[{"' * MOST_VALUES, "\\" * MOST_VALUES])

    assert parse(text.encode()) == json.loads(text)


LARGE = {
    "arrays side by side": b"[" + b"[]," * 349_523 + b"[]]",
    "objects in objects": b'{"a":' * 209_715,
    "arrays in arrays": b"[" * MOST_BYTES,
    "ends without beginnings": b"]" * MOST_BYTES,
    "backslashes": b'"' + b"\\" * (MOST_BYTES - 2) + b'"',
    "backslashes after brackets": b"[" * 65 + b'"' + b"\\" * (MOST_BYTES - 66),
    "brackets in a string": b'"' + b"[" * (MOST_BYTES - 2) + b'"',
    "deep arrays side by side": b",".join([b"[" * 60 + b"]" * 60] * 8_000),
    "objects side by side": b"[" + b'{"":0},' * 149_000 + b"0]",
    "names": b"{" + b",".join(b'"%d":0' % number for number in range(100_000)) + b"}",
    "escaped names": b"{" + b",".join(rb'"\u0041%d":0' % number for number in range(60_000)) + b"}",
    "strings": b"[" + b'"",' * 349_000 + b"0]",
    "backslashes in strings": b"[" + rb'"\\",' * 200_000 + b"0]",
    "ends after beginnings": b"[" * 65 + b"]" * (MOST_BYTES - 65),
    "quotation marks": b"[" * 65 + b'"' * (MOST_BYTES - 65),
    "escapes of surrogates": b'"' + rb"\ud83d\ude00" * 87_381 + b'"',
    "digits": b"1" * MOST_BYTES,
    "digits of a fraction": b"0." + b"1" * (MOST_BYTES - 2),
    "digits of an exponent": b"1e" + b"1" * (MOST_BYTES - 2),
    "white space": b" " * MOST_BYTES,
}


@pytest.mark.parametrize("text", LARGE.values(), ids=LARGE.keys())
def test_a_mebibyte_of_anything_costs_little_more_than_the_most_values_that_are_parsed(text: bytes):
    allowed = b"[" + b"0," * (MOST_VALUES - 10) + b"0]"

    assert any(cost(text) < 10 * cost(allowed) for _ in range(5))


def cost(text: bytes) -> float:
    """Measure the seconds of CPU time in which a text is parsed or refused."""
    started = thread_time()
    with suppress(Unparsable):
        parse(text)
    return thread_time() - started
