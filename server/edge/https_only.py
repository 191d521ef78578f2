"""HTTPS alone: what comes by plain HTTP is refused or, where it is a page, led to HTTPS (focusguard, "Security").

The server itself speaks HTTP: a proxy before it speaks HTTPS to the clients and says so in `X-Forwarded-Proto`. Uvicorn
takes the scheme from there when it trusts the proxy (FORWARDED_ALLOW_IPS).
"""

import re
from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send

import clock
from server.answers.answers import Answer, error_answer
from server.asgi import header, was_forwarded
from server.contracts import ELSEWHERE, contract_at
from server.errors.refusals import Refusal, https_required, https_unknown

STRICT_TRANSPORT = (b"strict-transport-security", b"max-age=31536000")
"""A year (RFC 6797). Other hosts below this one's name are not this server's to speak for."""

SIGNS_OF_LIFE = (b"/healthz", b"/readyz", b"/metrics")
"""What is asked from beside the server, where no proxy speaks HTTPS."""

_HOST = re.compile(r"([A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]*)?")


class HttpsOnly:
    """Stands before CORS: a browser whose preflight is refused does not send the token after it in plain text."""

    def __init__(self, app: ASGIApp, *, trusts_proxies: bool) -> None:
        self.app = app
        self.trusts_proxies = trusts_proxies

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass on what came by HTTPS, what is asked from this machine itself, and whether the server is alive."""
        if scope["type"] == "http":
            if scope["scheme"] == "https":
                scope["notes"].headers.append(STRICT_TRANSPORT)
            elif not (_is_local(scope) or scope["raw_path"] in SIGNS_OF_LIFE):
                return self._refuse(scope).send(send)
        return self.app(scope, receive, send)

    def _refuse(self, scope: Scope) -> Answer:
        contract = contract_at(scope["raw_path"])
        host = _HOST.fullmatch(header(scope, b"host") or "")
        is_page = contract is ELSEWHERE and scope["method"] in ("GET", "HEAD") and scope["raw_path"].startswith(b"/")
        if is_page and host:
            return _redirect(host[1], scope)
        refusal = self._refusal(scope)
        scope["notes"].code = refusal.code
        return error_answer(refusal, contract, at=clock.now())

    def _refusal(self, scope: Scope) -> Refusal:
        # Whoever is said to come by HTTPS and is not believed cannot help it: the server is not set up.
        is_set_up = self.trusts_proxies and header(scope, b"x-forwarded-proto") != "https"
        return https_required() if is_set_up else https_unknown()


def _is_local(scope: Scope) -> bool:
    address = scope["client"][0] if scope["client"] else "::1"
    return (address.startswith(("127.", "::ffff:127.")) or address == "::1") and not was_forwarded(scope)


def _redirect(host: str, scope: Scope) -> Answer:
    query = b"?" + scope["query_string"] if scope["query_string"] else b""
    location = b"https://%b%b%b" % (host.encode(), scope["raw_path"], query)
    # A cache that knows no schemes would lead the next client round in circles.
    headers = [(b"location", location), (b"content-length", b"0"), (b"cache-control", b"no-store")]
    return Answer(308, headers)
