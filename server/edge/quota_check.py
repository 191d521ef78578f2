"""The quotas of contracts that have them, counted before security: refusing costs next to nothing."""

from collections.abc import Awaitable

from starlette.types import ASGIApp, Receive, Scope, Send

import clock
from security.quotas import WINDOW_SECONDS, Quotas, caller_by
from server.asgi import client_address
from server.errors.refusals import Refusal
from server.security_schemes import bearer_token


class QuotaCheck:
    """Counts the requests to contracts that have a quota, and refuses those that are too many."""

    def __init__(self, app: ASGIApp, *, quotas: Quotas) -> None:
        self.app = app
        self.quotas = quotas

    def __call__(self, scope: Scope, receive: Receive, send: Send) -> Awaitable[None]:
        """Pass a request on, counted where its contract has a quota. Raises a `Refusal` (429)."""
        contract = scope["notes"].contract if scope["type"] == "http" else None
        if contract is None or not contract.has_quota:
            return self.app(scope, receive, send)
        return self._count(scope, receive, send)

    async def _count(self, scope: Scope, receive: Receive, send: Send) -> None:
        at = clock.now()
        quota = await self.quotas.take(caller_by(bearer_token(scope), client_address(scope), at=at), at=at)
        if quota is not None:
            # The headers follow draft-ietf-httpapi-ratelimit-headers; errors have them too.
            scope["notes"].headers += [
                (b"ratelimit-policy", b'"minute";q=%d;w=%d' % (quota.limit, WINDOW_SECONDS)),
                (b"ratelimit", b'"minute";r=%d;t=%d' % (max(0, quota.left), quota.seconds)),
            ]
        if quota is not None and quota.left < 0:
            headers = {"Retry-After": str(quota.seconds)}
            raise Refusal(429, "too_many_requests", "Too many requests; try again later.", headers=headers)
        await self.app(scope, receive, send)
