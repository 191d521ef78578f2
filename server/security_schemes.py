"""Connexion's security handlers: where a security scheme looks for a token, and which kind of token counts.

The contracts say the kind as `x-token` of the scheme. `x-path-user` names a path parameter that has to be the account
of the token.
"""

from collections.abc import Callable, Collection
from datetime import datetime
from functools import partial
from typing import Any, cast
from uuid import UUID

from connexion.lifecycle import ConnexionRequest
from connexion.security import NO_VALUE, AbstractSecurityHandler
from starlette.types import Scope
from werkzeug.http import parse_cookie

import clock
from db.errors import DomainError
from security.errors import ForeignOrigin
from security.tokens import Kind, identify, read_token
from server.asgi import header, own_origin
from server.errors.refusals import not_the_path_user
from server.lanes import Lane, Lanes


def bearer_token(scope: Scope, _scheme: object = None) -> str | None:
    """Return the bearer token of a request (RFC 6750, section 2.1); None when there is none."""
    scheme, _, token = (header(scope, b"authorization") or "").partition(" ")
    return token.strip(" ") if scheme.lower() == "bearer" else None


class TokenHandler(AbstractSecurityHandler):
    """Checks the bearer tokens of one security scheme.

    Connexion's own handlers take the first of several headers, and inspect the function that checks a token at every
    request.
    """

    token_in: Callable[..., str | None] = staticmethod(bearer_token)

    def __init__(self, lanes: Lanes) -> None:
        self.lanes = lanes

    def get_fn(self, security_scheme: dict[str, Any], required_scopes: list[str]) -> Any:  # noqa: ARG002 (Connexion's)
        """Return the function that Connexion calls to check a request by this scheme."""
        kind: Kind = security_scheme["x-token"]
        # Looking at a refresh token may end its login.
        lane = self.lanes.writes if kind == "refresh" else self.lanes.reads
        return partial(self._check, security_scheme, kind, lane)

    async def _check(self, scheme: dict[str, Any], kind: Kind, lane: Lane, request: ConnexionRequest) -> Any:
        context, scope = request.context, cast("Scope", request.scope)
        try:
            raw = self.token_in(scope, scheme)
            if raw is None:
                return NO_VALUE
            now = clock.now()
            caller = await lane.run(partial(identify, raw, kind, at=now), partial(_account_of, raw, at=now))
        except DomainError as refusal:
            # Where a token may as well be in the body, the operation is entered all the same and raises this.
            context.setdefault("refusal", refusal)
            raise
        named = scope["path_params"].get(scheme.get("x-path-user"))
        # Whatever is not one of the caller's two ids is somebody else, so what form it has does not matter.
        if named is not None and named.lower() not in (str(caller.token.account_uuid), str(caller.account_id)):
            raise not_the_path_user()
        context["token"] = caller.token
        return {"sub": caller.account_id}


def _account_of(raw: str, *, at: datetime) -> UUID:
    # Only the server's own signature makes it the account's turn; whoever has another token, waits for none.
    return read_token(raw, at=at).account_uuid


class CookieHandler(TokenHandler):
    """Checks the tokens of a security scheme that come in a cookie."""

    def __init__(self, lanes: Lanes, allowed_origins: Collection[str]) -> None:
        super().__init__(lanes)
        # `*` lets pages of all origins read answers, but none of them use what the browser keeps (server/edge/cors.py).
        self.allowed_origins = frozenset(allowed_origins) - {"*"}

    def token_in(self, scope: Scope, scheme: dict[str, Any]) -> str | None:
        """Return the token of a request; None when there is none. Raises `ForeignOrigin`."""
        token = parse_cookie(header(scope, b"cookie")).get(scheme["name"])
        origin = header(scope, b"origin")
        # Browsers send cookies whoever asks them to, and name who that was; what names nobody is no browser.
        if token and origin not in (None, *self.allowed_origins) and origin != own_origin(scope):
            raise ForeignOrigin("The cookie is not accepted from this origin.")
        return token or None


def security_map(lanes: Lanes, allowed_origins: Collection[str]) -> dict[str, Any]:
    """Return Connexion's `security_map`: who checks each type of security scheme."""
    return {"bearer": partial(TokenHandler, lanes), "apiKey": partial(CookieHandler, lanes, allowed_origins)}
