"""Refusals: the errors that a request is answered with, before a contract gives them its shape."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing wrong with one member of the input: where, and what it must be. Never what was sent."""

    field: str
    message: str


@dataclass(slots=True)
class Refusal(Exception):
    """An error answer: HTTP status, stable snake_case code, message for people, and what else it carries."""

    status: int
    code: str
    message: str
    errors: Sequence[FieldError] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def title(self) -> str:
        """Name the status in words."""
        return _TITLES.get(self.status) or HTTPStatus(self.status).phrase


_TITLES = {413: "Content Too Large", 414: "URI Too Long", 422: "Unprocessable Content"}
"""RFC 9110's names where the standard library of Python 3.11 still has older ones."""


class BadInput(Exception):
    """The input breaks the contract's schema. The contract's row says with which status that is answered."""

    def __init__(self, *errors: FieldError) -> None:
        super().__init__("bad input")
        self.errors = errors


def bad_input_message(errors: Sequence[FieldError]) -> str:
    """Return one sentence on what is wrong with the input."""
    wrong = "; ".join(f"{error.field} {error.message}" if error.field else error.message for error in errors)
    return f"The input is not valid: {wrong}."


class Unparsable(Exception):
    """The body is no JSON text; the message says what is wrong with it."""


class UnwritableText(Unparsable):
    """The body is a JSON text that holds what cannot be written in UTF-8."""


def challenge(invalid: str) -> str:
    """Write the WWW-Authenticate header (RFC 6750, section 3), with what is wrong with the token that was sent."""
    error = f', error="invalid_token", error_description="{invalid}"' if invalid else ""
    return f'Bearer realm="quintet"{error}'


def malformed_request() -> Refusal:
    """What came is not an HTTP request."""
    return Refusal(400, "malformed_request", "This is not a request in HTTP.")


def url_too_long() -> Refusal:
    """The request line has no end."""
    return Refusal(414, "url_too_long", "The URL of the request is too long.")


def head_too_large() -> Refusal:
    """The request line and the headers have no end."""
    return Refusal(431, "headers_too_large", "The headers of the request are too long.")


def preflight_refused() -> Refusal:
    """A page of another origin asked for more than it may."""
    return Refusal(400, "preflight_refused", "Pages of this origin may not send such a request.")


def not_found() -> Refusal:
    """Nothing is served at this path."""
    return Refusal(404, "not_found", "There is nothing at this path.")


def method_not_allowed(allowed: Sequence[str]) -> Refusal:
    """The path is served, this method is not; `Allow` names all that are (RFC 9110, section 15.5.6)."""
    return Refusal(
        405, "method_not_allowed", "This path does not take this method.", headers={"Allow": ", ".join(allowed)}
    )


def not_the_path_user() -> Refusal:
    """The path names another account than the caller's, or none (todo, "403 Forbidden - User ID mismatch")."""
    return Refusal(403, "forbidden", "These tasks belong to somebody else.")


def payload_too_large(limit: int) -> Refusal:
    """The body is longer than `limit` bytes."""
    return Refusal(413, "payload_too_large", f"The body is longer than {limit} bytes.")


def unsupported_media_type() -> Refusal:
    """The body is not JSON in UTF-8."""
    return Refusal(415, "unsupported_media_type", "The body has to be application/json in UTF-8.")


def internal_error() -> Refusal:
    """Something broke here; the log knows what."""
    return Refusal(500, "internal_error", "Something went wrong on the server.")


def busy(retry_after: int) -> Refusal:
    """Too many logins wait already; come back in `retry_after` seconds."""
    return Refusal(503, "busy", "The server is busy; try again shortly.", headers={"Retry-After": str(retry_after)})
