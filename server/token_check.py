"""Security: which token an operation asks for stands in its contract, as `x-token` of a security scheme.

A path parameter with `x-path-user` names the account that is meant, which has to be the token's.
"""

from collections.abc import Collection
from functools import partial
from typing import Any

from connexion.operations import AbstractOperation
from starlette.types import ASGIApp, Receive, Scope, Send
from werkzeug.http import parse_cookie

import clock
from db.errors import DomainError
from security.errors import ForeignOrigin, Unauthenticated
from security.tokens import Caller, Kind, identify
from server.operations import parameters_of
from server.refusals import not_the_path_user
from server.scopes import findings, header


class Scheme:
    """A security scheme of a contract: where a token is looked for, and what kind it must be."""

    def __init__(self, definition: dict[str, Any], allowed_origins: Collection[str]) -> None:
        self.kind: Kind = definition["x-token"]
        self.cookie: str = definition["name"] if definition["type"] == "apiKey" else ""
        self.allowed_origins = allowed_origins

    def token(self, scope: Scope) -> str | None:
        """Take the token out of the request; None when there is none in this place. Raises `ForeignOrigin`."""
        return self._token_in_cookie(scope) if self.cookie else bearer_token(scope)

    def _token_in_cookie(self, scope: Scope) -> str | None:
        token = parse_cookie(header(scope, b"cookie")).get(self.cookie)
        # Browsers send cookies whoever asks them to, and tell who that was.
        if token and header(scope, b"origin") not in self.allowed_origins:
            raise ForeignOrigin("The cookie is not accepted from this origin.")
        return token or None


def bearer_token(scope: Scope) -> str | None:
    """Take the bearer token out of a request (RFC 6750, section 2.1); None when there is none."""
    scheme, _, token = (header(scope, b"authorization") or "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


class TokenCheck:
    """Lets requests of one operation pass that carry one of the tokens it asks for.

    Where a token may as well be in the body, or not be there at all, the handler decides: it calls `offered_token`.
    """

    def __init__(
        self, operation: AbstractOperation, next_app: ASGIApp, *, allowed_origins: Collection[str] = ()
    ) -> None:
        requirements: list[Any] = operation.security or [{}]
        definitions: Any = operation.security_schemes
        self.next_app = next_app
        self.schemes = [Scheme(definitions[name], allowed_origins) for one in requirements for name in one]
        self.is_open = {} in requirements
        self.path_user = next((one["name"] for one in parameters_of(operation) if one.get("x-path-user")), None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Identify the caller and pass on."""
        if self.is_open:
            findings(scope)["offered_token"] = partial(self._caller, scope)
        else:
            caller = self._caller(scope)
            findings(scope).update(user=caller.account_id, token=caller.token)
            if self.path_user is not None:
                _refuse_others(caller, scope["path_params"][self.path_user])
        await self.next_app(scope, receive, send)

    def _caller(self, scope: Scope) -> Caller:
        """Identify the caller by the first of the places that holds a token which counts."""
        refusals: list[DomainError] = []
        for scheme in self.schemes:
            try:
                token = scheme.token(scope)
                if token is not None:
                    return identify(token, scheme.kind, at=clock.now())
            except DomainError as refusal:
                refusals.append(refusal)
        raise refusals[0] if refusals else Unauthenticated("A token is needed here.", "token_missing")


def _refuse_others(caller: Caller, path_user: str) -> None:
    # Whatever is not one of the caller's two ids is somebody else, so what form it has does not matter.
    if path_user.lower() not in (str(caller.token.account_uuid), str(caller.account_id)):
        raise not_the_path_user()
