"""The whole server as one ASGI application."""

from sqlalchemy.util import greenlet_spawn
from starlette.types import ASGIApp, Receive, Scope, Send

from db.sql.engine import disconnect
from server.dispatcher import Dispatcher
from server.docs import pages
from server.edge import RequestLog, with_cors
from server.quotas import Quotas


class Lifespan:
    """Takes part in the server's start, where nothing is left to do, and its end, where connections are closed."""

    def __init__(self, app: ASGIApp, quotas: Quotas) -> None:
        self.app = app
        self.quotas = quotas

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass requests on."""
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.quotas.close()
        await greenlet_spawn(disconnect)
        await send({"type": "lifespan.shutdown.complete"})


def build_app(*, allowed_origins: tuple[str, ...], quotas: Quotas | None = None) -> ASGIApp:
    """Build the application, without quotas unless some are given.

    Raises `ContractError` when a contract and its handlers do not fit together.
    """
    quotas = quotas or Quotas(0)
    dispatcher = Dispatcher(pages(), allowed_origins=allowed_origins, quotas=quotas)
    return Lifespan(RequestLog(with_cors(dispatcher, allowed_origins)), quotas)
