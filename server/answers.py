"""Answers: what goes back over HTTP, complete, so that it crosses from thread to event loop once."""

from dataclasses import dataclass, field
from datetime import datetime

import orjson
from starlette.types import Send

from db.errors import AccountGone, BadValue, Conflict, DomainError, Duplicate, NotFound, NotYours
from security.errors import (
    ForeignOrigin,
    InvalidToken,
    TooManyAttempts,
    Unauthenticated,
    WrongPassword,
    WrongTokenKind,
)
from server import refusals
from server.contracts import Contract
from server.refusals import BadInput, FieldError, Refusal, Unparsable

Headers = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Answer:
    """A status, headers and a body."""

    status: int
    headers: Headers = field(default_factory=list)
    body: bytes = b""

    async def send(self, send: Send, *, without_body: bool = False) -> None:
        """Send it over ASGI; an answer to HEAD keeps the length of the body it goes without."""
        await send({"type": "http.response.start", "status": self.status, "headers": self.headers})
        await send({"type": "http.response.body", "body": b"" if without_body else self.body})


_NOT_KEPT = (b"cache-control", b"no-store")
"""Answers hold tokens and people's own things: no cache may keep them (RFC 6749, section 5.1)."""


def json_answer(status: int, content: object, media_type: bytes = b"application/json") -> Answer:
    """Write content as JSON."""
    body = orjson.dumps(content)
    return Answer(status, [(b"content-type", media_type), (b"content-length", b"%d" % len(body)), _NOT_KEPT], body)


def with_cookie(answer: Answer, cookie: str) -> Answer:
    """Set a cookie with an answer."""
    answer.headers.append((b"set-cookie", cookie.encode()))
    return answer


def error_answer(refusal: Refusal, contract: Contract, *, at: datetime) -> Answer:
    """Give a refusal the contract's shape."""
    answer = json_answer(refusal.status, contract.error(refusal, at), contract.media_type.encode())
    answer.headers += [(name.lower().encode(), value.encode()) for name, value in refusal.headers.items()]
    return answer


def refusal_of(error: Exception, contract: Contract, *, deleted_account: int = 401) -> Refusal:
    """Say what an exception is answered with; one that nobody foresaw is a 500.

    `deleted_account` is what the operation answers when the account of a sound token is gone.
    """
    match error:
        case Refusal():
            return error
        case BadInput():
            return _bad_input(contract, *error.errors)
        case Unparsable():
            status = contract.unparsable if error.is_no_json else contract.bad_input
            return Refusal(status, "malformed_json", f"{error}")
        case DomainError():
            return _refusal_of_domain_error(error, contract, deleted_account)
    return refusals.internal_error()


def _refusal_of_domain_error(error: DomainError, contract: Contract, deleted_account: int) -> Refusal:
    match error:
        case TooManyAttempts():
            return _too_many_attempts(error)
        case BadValue():
            return _bad_input(contract, FieldError(error.member, error.message))
        case NotYours() if contract.not_yours == 404:  # noqa: PLR2004
            return _refusal_of_domain_error(error.hidden_as, contract, deleted_account)
    status = _status_of(error, contract, deleted_account)
    headers = {"WWW-Authenticate": _challenge(error)} if status == 401 else {}  # noqa: PLR2004
    return Refusal(status, error.code, error.message, headers=headers)


def _status_of(error: DomainError, contract: Contract, deleted_account: int) -> int:
    statuses = {
        NotFound: 404,
        WrongPassword: 403,
        ForeignOrigin: 403,
        NotYours: contract.not_yours,
        Duplicate: contract.duplicate,
        Conflict: 409,
        AccountGone: deleted_account,
        WrongTokenKind: contract.wrong_token_kind,
        Unauthenticated: 401,
    }
    return next((status for kind, status in statuses.items() if isinstance(error, kind)), contract.bad_input)


def _challenge(error: DomainError) -> str:
    # A request without a token is told no error (RFC 6750, section 3.1).
    names_error = isinstance(error, InvalidToken | AccountGone | WrongTokenKind)
    return refusals.challenge(error.code if names_error else "", error.message)


def _bad_input(contract: Contract, *errors: FieldError) -> Refusal:
    return Refusal(contract.bad_input, "bad_input", refusals.bad_input_message(errors[:3]), errors)


def _too_many_attempts(error: TooManyAttempts) -> Refusal:
    # The headers follow draft-ietf-httpapi-ratelimit-headers: q is the quota, w the window in seconds,
    # r what is left of it, t the seconds until there is more.
    headers = {
        "Retry-After": str(error.retry_after),
        "RateLimit-Policy": f'"login";q={error.limit};w={error.window}',
        "RateLimit": f'"login";r=0;t={error.retry_after}',
    }
    return Refusal(429, error.code, error.message, headers=headers)
