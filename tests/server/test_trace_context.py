"""`traceparent`: which trace a request belongs to, in its line of the log."""

import httpx
import pytest

from server.edge.trace_context import trace_context
from tests.conftest import once
from tests.server.conftest import TODOS, Log

pytestmark = once

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
GOOD = f"00-{TRACE}-{SPAN}-01"

ODD = {
    "empty": "",
    "too short": GOOD[:-1],
    "longer than version 00 is": f"{GOOD}-00",
    "followed by something": f"{GOOD} ",
    "two of them": f"{GOOD}, {GOOD}",
    "in capitals": GOOD.upper(),
    "no hexadecimal digits": GOOD.replace("f", "g"),
    "digits of another script": GOOD.replace("0", "\u0660"),
    "the version that there is not": f"ff{GOOD[2:]}",
    "a later version that goes on without a dash": f"01{GOOD[2:]}00",
    "no trace": f"00-{'0' * 32}-{SPAN}-01",
    "no span": f"00-{TRACE}-{'0' * 16}-01",
    "a line": f"{GOOD}\n",
    "a megabyte": f"{GOOD}-{'a' * 2**20}",
}


@pytest.mark.parametrize("given", [GOOD, f"00-{TRACE}-{SPAN}-00", f"cc{GOOD[2:]}", f"cc{GOOD[2:]}-what-comes-later"])
def test_a_valid_header_names_trace_and_span(given: str):
    assert trace_context(given) == (TRACE, SPAN)


@pytest.mark.parametrize("given", ODD.values(), ids=ODD)
def test_any_other_header_names_nothing(given: str):
    assert trace_context(given) is None


def test_the_line_of_a_request_names_its_trace(anonymous: httpx.Client, log: Log):
    response = anonymous.get(TODOS, headers={"traceparent": GOOD})

    line = log.line_of(response.headers["x-request-id"])
    assert (line["trace_id"], line["span_id"]) == (TRACE, SPAN)


def test_the_line_of_a_request_repeats_nothing_that_is_no_trace(anonymous: httpx.Client, log: Log):
    response = anonymous.get(TODOS, headers={"traceparent": f"{GOOD}-not-to-be-repeated"})

    assert "trace_id" not in log.line_of(response.headers["x-request-id"])
    assert "not-to-be-repeated" not in log.all_text()
