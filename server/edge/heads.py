"""Heads of requests: what RFC 9112 wants to be refused, and httptools takes."""

import re
from collections.abc import Sequence

from httptools import HttpRequestParser

from server.errors.refusals import head_too_large, malformed_request, upgrade_with_body

MOST_HEAD_BYTES = 65_536
"""How much of a request line and headers is read, give or take 8 KiB; of trailers and of a chunk's head likewise."""

MOST_HEADERS = 100
"""How many headers a request may have. Each is looked at several times on its way."""

MOST_URL_BYTES = 65_535
"""The longest URL that httptools takes."""

_HOST = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=%:\[\]-]*")

_LOOKED_AT = frozenset((b"host", b"transfer-encoding", b"content-length"))


def check_head(headers: Sequence[tuple[bytes, bytes]], parser: HttpRequestParser) -> None:
    """Check what decides where a request goes and where it ends, so that a proxy before this server reads the same.

    One host (RFC 9112, section 3.2), no transfer coding but `chunked`, and that not in HTTP/1.0 (section 6.1).
    Raises a `Refusal` (400, 431).
    """
    if len(headers) > MOST_HEADERS:
        raise head_too_large()
    hosts = codings = lengths = 0
    for name, value in headers:
        if name not in _LOOKED_AT:
            continue
        if name == b"host":
            hosts += 1 if _HOST.fullmatch(value) else 2
        elif name == b"content-length":
            lengths += value != b"0"
        else:
            codings += 1 if value.lower() == b"chunked" else 2
    # The parser is asked no more than is needed: this is done for every request.
    if hosts != 1 and (hosts or parser.get_http_version() != "1.0"):
        raise malformed_request()
    if codings and (codings > 1 or parser.get_http_version() == "1.0"):
        raise malformed_request()
    if (codings or lengths) and parser.should_upgrade():
        raise upgrade_with_body()
