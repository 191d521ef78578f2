"""The dispatcher: takes every request, finds the one operation that it means and has it answered."""

from asyncio import CancelledError
from collections.abc import Collection
from functools import partial

from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Receive, Scope, Send

import clock
from server.answers import Answer, error_answer
from server.bodies import MOST_BYTES
from server.connexion_apps import connexion_app
from server.contracts import CONTRACTS, contract_at
from server.lanes import Lanes, answer_to, error_to
from server.quotas import Quotas
from server.refusals import Refusal, internal_error, method_not_allowed, not_found
from server.routes import Route, routes_of
from server.scopes import findings, header, routed


class ClientGone(Exception):
    """The client hung up before its request was whole: there is nobody to answer."""


class Dispatcher:
    """Routes over all contracts; what no contract serves goes on to the pages (`/docs`, `/healthz` and so on)."""

    def __init__(self, pages: ASGIApp, *, allowed_origins: Collection[str] = (), quotas: Quotas | None = None) -> None:
        self.pages = pages
        self.quotas = quotas or Quotas(0)
        self.routes = routes_of(CONTRACTS)
        self.apps = {
            one.name: connexion_app(one, self.routes.document_of(one), allowed_origins=allowed_origins)
            for one in CONTRACTS
        }
        self.lanes = Lanes()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, with an error of its contract's shape should anything break."""
        try:
            await self._dispatch(scope, receive, send)
        except ClientGone:
            return
        except (Exception, CancelledError) as error:
            # Uvicorn cancels what is still under way long after it was told to stop.
            scope["state"]["error"] = error
            if scope["state"]["status"] is not None:
                raise
            await _answer_error(internal_error(), scope, send)

    async def _dispatch(self, scope: Scope, receive: Receive, send: Send) -> None:
        match = self.routes.find(scope["raw_path"])
        if match is None:
            await self._page(scope, receive, send)
            return
        route, segments = match
        scope["state"]["route"] = route.template
        quota = await self.quotas.take(scope) if route.contract.has_quota else None
        try:
            if quota is not None:
                quota.refuse_excess()
            answer = await self._answer(route, segments, scope, receive)
        except Refusal as refusal:
            answer = error_answer(refusal, route.contract, at=clock.now())
        if quota is not None:
            answer.headers += quota.headers()
        await answer.send(send, without_body=scope["method"] == "HEAD")

    async def _answer(self, route: Route, segments: list[str], scope: Scope, receive: Receive) -> Answer:
        operation = route.operations.get("GET" if scope["method"] == "HEAD" else scope["method"])
        if operation is None:
            raise method_not_allowed(route.allowed())
        body = await body_of(scope, receive) if operation.takes_body else b""
        inner = routed(
            scope,
            mount=operation.contract.mount,
            operation_id=operation.operation_id,
            path_params=operation.parameters(segments),
        )
        work = partial(answer_to, self.apps[operation.contract.name], operation, inner, body)
        try:
            return await self.lanes.lane_of(operation)(work)
        except Refusal as refusal:
            return error_to(operation, scope, refusal)
        finally:
            scope["state"]["account"] = findings(inner).get("user")

    async def _page(self, scope: Scope, receive: Receive, send: Send) -> None:
        # With an application in its scope Starlette raises its refusals; without one it answers them in plain text.
        inner = {**scope, "app": self.pages}
        try:
            await self.pages(inner, receive, send)
        except HTTPException as error:
            await _answer_error(_page_refusal(error), scope, send)
        finally:
            scope["state"]["route"] = inner["route"].path if "route" in inner else None


def _page_refusal(error: HTTPException) -> Refusal:
    if error.status_code != method_not_allowed([]).status:
        return not_found()
    return method_not_allowed(sorted((error.headers or {}).get("Allow", "GET, HEAD").split(", ")))


async def _answer_error(refusal: Refusal, scope: Scope, send: Send) -> None:
    answer = error_answer(refusal, contract_at(scope["raw_path"]), at=clock.now())
    await answer.send(send, without_body=scope["method"] == "HEAD")


async def body_of(scope: Scope, receive: Receive) -> bytes | None:
    """Read a request's body; None when it is longer than is taken. Raises `ClientGone`."""
    if _declared_length(scope) > MOST_BYTES:
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


def _declared_length(scope: Scope) -> int:
    # What is no number is left to the body itself, which is counted as well; twenty digits are too many in any case.
    length = header(scope, b"content-length") or "0"
    return int(length[:20]) if length.isdecimal() else 0
