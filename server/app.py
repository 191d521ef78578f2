"""The whole server as one ASGI application."""

from sqlalchemy.util import greenlet_spawn
from starlette.types import ASGIApp, Receive, Scope, Send

from db.engine import disconnect
from server.dispatcher import Dispatcher
from server.docs import pages
from server.edge import RequestLog, with_cors


class Lifespan:
    """Takes part in the server's start, where nothing is left to do, and its end, where connections are closed."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass requests on."""
        if scope["type"] != "lifespan":
            await self.app(scope, receive, send)
            return
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await greenlet_spawn(disconnect)
        await send({"type": "lifespan.shutdown.complete"})


def build_app(*, allowed_origins: tuple[str, ...]) -> ASGIApp:
    """Build the application. Raises `ContractError` when a contract and its handlers do not fit together."""
    return Lifespan(RequestLog(with_cors(Dispatcher(pages()), allowed_origins)))
