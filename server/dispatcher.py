"""The dispatcher: takes every request, finds the one operation that it means and has it answered."""

from collections.abc import Collection
from functools import partial

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

from db.clock import now
from server.answers import Answer, error_answer
from server.bodies import MOST_BYTES
from server.connexion_apps import connexion_app
from server.contracts import CONTRACTS, contract_at
from server.lanes import answer_to, error_to, password_lane, quick_lane
from server.quotas import Quotas
from server.refusals import Refusal, method_not_allowed, not_found
from server.routes import Route, routes_of
from server.scopes import findings, header, routed


class ClientGone(Exception):
    """The client hung up before its request was whole: there is nobody to answer."""


class Dispatcher:
    """Routes over all contracts; what no contract serves goes on to the pages (`/docs`, `/healthz` and so on)."""

    def __init__(self, pages: ASGIApp, *, allowed_origins: Collection[str], quotas: Quotas) -> None:
        self.pages = pages
        self.quotas = quotas
        self.routes = routes_of(CONTRACTS)
        self.apps = {one.name: connexion_app(one, allowed_origins=allowed_origins) for one in CONTRACTS}
        self.lanes = {False: quick_lane(), True: password_lane()}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        match = self.routes.find(scope["raw_path"])
        if match is None:
            await self._page(scope, receive, send)
            return
        route, path_params = match
        scope["state"]["route"] = route.template
        quota = await self.quotas.take(scope) if route.contract.has_quota else None
        try:
            if quota is not None:
                quota.refuse_excess()
            answer = await self._answer(route, path_params, scope, receive)
        except Refusal as refusal:
            answer = error_answer(refusal, route.contract, at=now())
        except ClientGone:
            return
        if quota is not None:
            answer.headers += quota.headers()
        await answer.send(send, without_body=scope["method"] == "HEAD")

    async def _answer(self, route: Route, path_params: dict[str, str], scope: Scope, receive: Receive) -> Answer:
        operation = route.operations.get("GET" if scope["method"] == "HEAD" else scope["method"])
        if operation is None:
            raise method_not_allowed(route.allowed())
        body = await body_of(scope, receive) if operation.takes_body else b""
        inner = routed(
            scope, mount=operation.contract.mount, operation_id=operation.operation_id, path_params=path_params
        )
        work = partial(answer_to, self.apps[operation.contract.name], operation, inner, body)
        try:
            return await self.lanes[operation.hashes_password](work)
        except Refusal as refusal:
            return error_to(operation, refusal)
        finally:
            scope["state"]["account"] = findings(inner).get("user")

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        # With an application in its scope Starlette raises its refusals; without one it answers them in plain text.
        try:
            await self.pages({**scope, "app": self.pages}, receive, send)
        except HTTPException as error:
            allowed = (error.headers or {}).get("Allow", "GET, HEAD").split(", ")
            refusal = method_not_allowed(allowed) if error.status_code == method_not_allowed([]).status else not_found()
            answer = error_answer(refusal, contract_at(scope["path"]), at=now())
            await answer.send(send, without_body=scope["method"] == "HEAD")


async def body_of(scope: Scope, receive: Receive) -> bytes | None:
    """Read a request's body; None when it is longer than is taken. Raises `ClientGone`."""
    length = header(scope, b"content-length")
    if length is not None and int(length) > MOST_BYTES:
        return None
    parts: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > MOST_BYTES:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)
