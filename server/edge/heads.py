"""Heads of requests: what RFC 9112 wants to be refused, and httptools takes."""

import re
from collections.abc import Sequence

from server.errors.refusals import head_too_large, malformed_request, upgrade_with_body

MOST_HEAD_BYTES = 65_536
"""How much of a request line and headers is read, give or take 8 KiB; of trailers and of a chunk's head likewise."""

MOST_HEADERS = 100
"""How many headers a request may have. Each is looked at several times on its way."""

MOST_URL_BYTES = 65_535
"""The longest URL that httptools takes."""

_HOST = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=%:\[\]-]*")


def check_head(version: str, headers: Sequence[tuple[bytes, bytes]], *, upgrades: bool) -> None:
    """Check what decides where a request goes and where it ends, so that a proxy before this server reads the same.

    One host (RFC 9112, section 3.2), no transfer coding but `chunked`, and that not in HTTP/1.0 (section 6.1).
    Raises a `Refusal` (400, 431).
    """
    if len(headers) > MOST_HEADERS:
        raise head_too_large()
    hosts = codings = lengths = 0
    for name, value in headers:
        if name == b"host":
            hosts += 1 if _HOST.fullmatch(value) else 2
        elif name == b"transfer-encoding":
            codings += 1 if value.lower() == b"chunked" else 2
        elif name == b"content-length":
            lengths += value != b"0"
    if hosts > 1 or codings > 1 or (version == "1.0" and codings) or (version != "1.0" and not hosts):
        raise malformed_request()
    if upgrades and (codings or lengths):
        raise upgrade_with_body()
