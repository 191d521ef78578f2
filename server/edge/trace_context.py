"""Which trace a request belongs to: the header `traceparent` (W3C Trace Context, section 3.2)."""

import re

_FORM = re.compile(r"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-[0-9a-f]{2}")
_LENGTH = 55

_NO_TRACE, _NO_SPAN = "0" * 32, "0" * 16


def trace_context(given: str) -> tuple[str, str] | None:
    """Return the ids of the trace and of the client's span; None where the header is not valid.

    No more than its first characters are looked at. What a later version adds after them is left to that version.
    """
    form = _FORM.fullmatch(given[:_LENGTH])
    if form is None:
        return None
    version, trace_id, span_id = form.groups()
    is_known = version == "00" and len(given) == _LENGTH
    is_later = version not in ("00", "ff") and given[_LENGTH : _LENGTH + 1] in ("", "-")
    if not (is_known or is_later) or trace_id == _NO_TRACE or span_id == _NO_SPAN:
        return None
    return trace_id, span_id
