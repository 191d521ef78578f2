"""The refresh token as a cookie, which browsers hide from scripts and send to focusguard's `/api/auth` only."""

from dataclasses import dataclass
from typing import Any

from security.tokens import refresh_lifetime

# The name and the path are also in openapi/focusguard.yaml, and in every browser that has such a cookie.
_COOKIE = "refresh_token={value}; HttpOnly; Max-Age={seconds}; Path=/api/auth; SameSite=Strict; Secure"


@dataclass(frozen=True, slots=True)
class WithCookie:
    """The content of a response, and the cookie to set with it."""

    content: Any
    cookie: str


def refresh_cookie(token: str) -> str:
    """Return the `Set-Cookie` header that stores a refresh token for as long as it lives."""
    return _COOKIE.format(value=token, seconds=int(refresh_lifetime().total_seconds()))


def no_refresh_cookie() -> str:
    """Return the `Set-Cookie` header that makes browsers delete the cookie."""
    return _COOKIE.format(value="", seconds=0)
