"""Security: which token an operation asks for stands in its contract, as `x-token` of a security scheme.

A path parameter with `x-path-user` names the account that is meant, which has to be the token's.
"""

from typing import Any

from connexion.operations import AbstractOperation
from starlette.types import ASGIApp, Receive, Scope, Send

from db.clock import now
from security.errors import Unauthenticated
from security.tokens import Caller, Kind, identify
from server.operations import parameters_of
from server.refusals import not_the_path_user
from server.scopes import findings, header


class Scheme:
    """A security scheme of a contract: where a token is looked for, and what kind it must be."""

    def __init__(self, definition: dict[str, Any]) -> None:
        self.kind: Kind = definition["x-token"]

    def token(self, scope: Scope) -> str | None:
        """Take the token out of the request; None when there is none in this place."""
        scheme, _, token = (header(scope, b"authorization") or "").partition(" ")
        return token.strip() if scheme.lower() == "bearer" else None


class TokenCheck:
    """Lets requests of one operation pass that carry one of the tokens it asks for."""

    def __init__(self, operation: AbstractOperation, next_app: ASGIApp) -> None:
        requirements: list[Any] = operation.security or [{}]
        definitions: Any = operation.security_schemes
        self.next_app = next_app
        self.schemes = [Scheme(definitions[name]) for one in requirements for name in one]
        self.is_open = {} in requirements
        self.path_user = next((one["name"] for one in parameters_of(operation) if one.get("x-path-user")), None)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Identify the caller and pass on."""
        caller = self._caller(scope)
        if caller is not None:
            findings(scope).update(user=caller.account_id, token=caller.token)
            if self.path_user is not None:
                _refuse_others(caller, scope["path_params"][self.path_user])
        await self.next_app(scope, receive, send)

    def _caller(self, scope: Scope) -> Caller | None:
        for scheme in self.schemes:
            token = scheme.token(scope)
            if token is not None:
                return identify(token, scheme.kind, at=now())
        if self.is_open:
            return None
        raise Unauthenticated("A token is needed here.", "token_missing")


def _refuse_others(caller: Caller, path_user: str) -> None:
    # Whatever is not one of the caller's two ids is somebody else, so what form it has does not matter.
    if path_user.lower() not in (str(caller.token.account_uuid), str(caller.account_id)):
        raise not_the_path_user()
