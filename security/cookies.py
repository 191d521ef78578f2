"""The refresh token as a cookie, which browsers keep from scripts and send to focusguard's door alone."""

from dataclasses import dataclass
from typing import Any

from security.tokens import refresh_lifetime

# The name and the path stand in openapi/focusguard.yaml too, and in every browser that has such a cookie.
_COOKIE = "refresh_token={value}; HttpOnly; Max-Age={seconds}; Path=/api/auth; SameSite=Strict; Secure"


@dataclass(frozen=True, slots=True)
class WithCookie:
    """The content of an answer, and the cookie that is set with it."""

    content: Any
    cookie: str


def refresh_cookie(token: str) -> str:
    """Write the cookie that holds a refresh token for as long as it lives."""
    return _COOKIE.format(value=token, seconds=int(refresh_lifetime().total_seconds()))


def no_refresh_cookie() -> str:
    """Write the cookie that makes browsers forget the one they have."""
    return _COOKIE.format(value="", seconds=0)
