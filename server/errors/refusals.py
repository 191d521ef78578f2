"""Refusals: the errors that a request is answered with, before a contract gives them its shape."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus

from language.errors import FieldError


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


def bad_input_message(errors: Sequence[FieldError]) -> str:
    """Return one sentence on what is wrong with the input."""
    wrong = "; ".join(f"{error.field} {error.message}" if error.field else error.message for error in errors)
    return f"The input is not valid: {wrong}."


def challenge(invalid: str) -> str:
    """Write the WWW-Authenticate header (RFC 6750, section 3), with what is wrong with the token that was sent."""
    error = f', error="invalid_token", error_description="{invalid}"' if invalid else ""
    return f'Bearer realm="quintet"{error}'


malformed_request = partial(Refusal, 400, "malformed_request", "This is not a request in HTTP.")
upgrade_with_body = partial(
    Refusal, 400, "upgrade_with_body", "A request that asks for another protocol (Upgrade) may have no body here."
)
preflight_refused = partial(Refusal, 400, "preflight_refused", "Pages of this origin may not send such a request.")
https_required = partial(Refusal, 403, "https_required", "This server takes requests over HTTPS alone.")
https_unknown = partial(
    Refusal,
    403,
    "https_required",
    "This server takes requests over HTTPS alone. A proxy that speaks HTTPS has to say so in X-Forwarded-Proto, and"
    " the server's setting FORWARDED_ALLOW_IPS has to name the proxy.",
)
not_the_path_user = partial(Refusal, 403, "forbidden", "These tasks belong to somebody else.")
not_found = partial(Refusal, 404, "not_found", "There is nothing at this path.")
request_timeout = partial(Refusal, 408, "request_timeout", "The request was not complete in time.")
payload_too_large = partial(Refusal, 413, "payload_too_large")
url_too_long = partial(Refusal, 414, "url_too_long", "The URL of the request is too long.")
unsupported_media_type = partial(
    Refusal, 415, "unsupported_media_type", "The body has to be application/json in UTF-8."
)
head_too_large = partial(Refusal, 431, "headers_too_large", "The headers of the request are too long.")
internal_error = partial(Refusal, 500, "internal_error", "Something went wrong on the server.")


def method_not_allowed(allowed: Sequence[str]) -> Refusal:
    """Refuse a method; `Allow` names all that the path takes (RFC 9110, section 15.5.6)."""
    headers = {"Allow": ", ".join(allowed)}
    return Refusal(405, "method_not_allowed", "This path does not take this method.", headers=headers)


def busy(retry_after: int) -> Refusal:
    """Refuse a login because too many wait already; the client may come back in `retry_after` seconds."""
    return Refusal(503, "busy", "The server is busy; try again shortly.", headers={"Retry-After": str(retry_after)})
