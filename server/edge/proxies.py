"""Proxies that are trusted (FORWARDED_ALLOW_IPS): what they say of a request counts as what the client asked for."""

from typing import Any

from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from server.asgi import header


class TrustedProxies(ProxyHeadersMiddleware):
    """Uvicorn's, which takes scheme and client from `X-Forwarded-Proto` and `X-Forwarded-For` of a trusted proxy.

    This one also keeps its `X-Forwarded-Host`, as `scope["forwarded_host"]`. The `Host` stays what it is: a proxy that
    writes only the other two headers passes on whatever its client says is the third.
    """

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Pass a request on."""
        client = scope.get("client")
        if scope["type"] == "http" and (client and client[0]) in self.trusted_hosts:
            scope["forwarded_host"] = header(scope, b"x-forwarded-host")
        await super().__call__(scope, receive, send)
