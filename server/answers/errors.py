"""The one place where errors become answers: for each class of exceptions, what it is answered with.

Connexion looks for the nearest class of an exception that is registered here, wherever behind its ExceptionMiddleware
the exception was raised. The status comes from the contract's row (`server/contracts.py`), by the nearest class too.
"""

from collections.abc import Callable, Mapping
from typing import Any, cast

from connexion import FlaskApp
from connexion.exceptions import OAuthProblem
from connexion.lifecycle import ConnexionRequest, ConnexionResponse
from starlette.types import Scope
from werkzeug.exceptions import HTTPException, MethodNotAllowed

import clock
from db.errors import AccountGone, BadValue, DomainError, NotYours, Unavailable
from language.errors import BadInput, FieldError, Unparsable
from log import kinds_of, trace_of
from security.errors import InvalidToken, TooManyAttempts, Unauthenticated, WrongTokenKind
from server.answers.answers import error_answer
from server.contracts import Contract, contract_of
from server.errors import refusals
from server.errors.refusals import Refusal

Explanation = Callable[[Any, Contract, Scope], Refusal]
"""What is said of an error in a contract's answer, and with which status and headers."""


def add_error_handlers(app: FlaskApp) -> None:
    """Register an answer for every class of exceptions."""
    for kind, explain in EXPLANATIONS.items():
        app.add_error_handler(kind, _handler(explain))


def _handler(explain: Explanation) -> Any:
    async def answer(request: ConnexionRequest, error: Exception) -> ConnexionResponse:
        scope = cast("Scope", request.scope)
        contract = contract_of(scope)
        refusal = explain(error, contract, scope)
        scope["notes"].code = refusal.code
        if refusal.status == refusals.internal_error().status:
            scope["notes"].trace = trace_of(error)
        content = error_answer(refusal, contract, at=clock.now())
        headers = {name.decode(): value.decode() for name, value in content.headers}
        return ConnexionResponse(status_code=content.status, headers=headers, body=content.body)

    return answer


def _bad_input(error: BadInput, contract: Contract, _: Scope) -> Refusal:
    return Refusal(
        contract.status_of(BadInput), "bad_input", refusals.bad_input_message(error.errors[:3]), error.errors
    )


def _bad_value(error: BadValue, contract: Contract, scope: Scope) -> Refusal:
    return _bad_input(BadInput(FieldError(error.member, error.message)), contract, scope)


def _unparsable(error: Unparsable, contract: Contract, _: Scope) -> Refusal:
    return Refusal(contract.status_of(type(error)), "malformed_json", str(error))


def _domain_error(error: DomainError, contract: Contract, _: Scope) -> Refusal:
    return Refusal(contract.status_of(type(error)), error.code, error.message)


def _not_yours(error: NotYours, contract: Contract, scope: Scope) -> Refusal:
    # A contract that answers 404 does not say that the thing is there.
    is_hidden = contract.status_of(NotYours) == contract.status_of(type(error.hidden_as))
    return _domain_error(error.hidden_as if is_hidden else error, contract, scope)


def _unauthenticated(error: DomainError, contract: Contract, scope: Scope) -> Refusal:
    endpoint, refusal = scope["notes"].endpoint, _domain_error(error, contract, scope)
    if isinstance(error, AccountGone) and endpoint is not None:
        refusal.status = endpoint.definition.get("x-deleted-account", refusal.status)
    if refusal.status == contract.status_of(Unauthenticated):
        # A request without a token is told no error (RFC 6750, section 3.1).
        names_error = isinstance(error, InvalidToken | AccountGone | WrongTokenKind)
        refusal.headers = {"WWW-Authenticate": refusals.challenge(error.message if names_error else "")}
    return refusal


def _no_token(_: OAuthProblem, contract: Contract, scope: Scope) -> Refusal:
    return _unauthenticated(Unauthenticated("A token is needed here.", "token_missing"), contract, scope)


def _too_many_attempts(error: TooManyAttempts, contract: Contract, scope: Scope) -> Refusal:
    refusal = _domain_error(error, contract, scope)
    # The headers follow draft-ietf-httpapi-ratelimit-headers: q is the quota, w the window in seconds,
    # r what is left of it, t the seconds until there is more.
    refusal.headers = {
        "Retry-After": str(error.retry_after),
        "RateLimit-Policy": f'"login";q={error.limit};w={error.window}',
        "RateLimit": f'"login";r=0;t={error.retry_after}',
    }
    return refusal


def _unavailable(error: Unavailable, contract: Contract, scope: Scope) -> Refusal:
    scope["notes"].cause = kinds_of(error)
    refusal = _domain_error(error, contract, scope)
    refusal.headers = {"Retry-After": str(error.retry_after)}
    return refusal


EXPLANATIONS: Mapping[type[Exception], Explanation] = {
    Refusal: lambda refusal, *_: refusal,
    BadInput: _bad_input,
    BadValue: _bad_value,
    Unparsable: _unparsable,
    DomainError: _domain_error,
    NotYours: _not_yours,
    Unauthenticated: _unauthenticated,
    WrongTokenKind: _unauthenticated,
    AccountGone: _unauthenticated,
    OAuthProblem: _no_token,
    TooManyAttempts: _too_many_attempts,
    Unavailable: _unavailable,
    MethodNotAllowed: lambda error, *_: refusals.method_not_allowed(sorted(error.valid_methods or ())),
    HTTPException: lambda *_: refusals.not_found(),  # Flask's, of a page that is not there.
    Exception: lambda *_: refusals.internal_error(),
}
