"""Flask's own way through a request, for the pages: as ASGI, with each answer complete before it is sent.

Connexion's FlaskApp brings a2wsgi for this. There a client that does not read its answer keeps one of ten threads, and
ten of them keep everybody from all pages, `/healthz` among them.
"""

import asyncio
import re
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from typing import Any

import flask
from a2wsgi.wsgi import build_environ
from starlette.types import Receive, Scope, Send

from server.answers.answers import Answer
from server.contracts import ELSEWHERE, contract_at
from server.errors.refusals import method_not_allowed, not_found

THREADS = 4

_READ_OTHERWISE = re.compile(rb"//|%2f", re.IGNORECASE)
"""Slashes that the router and Flask understand differently; no page has them."""


class WholeAnswers:
    """Lets a Flask application answer what the router found no operation for."""

    def __init__(self, app: flask.Flask) -> None:
        self.app = app
        self.threads = ThreadPoolExecutor(THREADS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (pages take no body)
        """Answer with a page. Raises a `Refusal` (404, 405) where a contract serves the path or owns it."""
        if scope["notes"].route is not None:
            raise method_not_allowed(scope["notes"].route.allowed())
        if contract_at(scope["raw_path"]) is not ELSEWHERE or _READ_OTHERWISE.search(scope["raw_path"]):
            raise not_found()
        answer = await asyncio.get_running_loop().run_in_executor(self.threads, self._answer, scope)
        await answer.send(send)

    def _answer(self, scope: Scope) -> Answer:
        environ: Any = build_environ(scope, BytesIO())  # type: ignore[arg-type]
        with self.app.request_context(environ):
            rule = flask.request.url_rule
            scope["notes"].page = rule and rule.rule
            with self.app.full_dispatch_request() as response:
                parts, _, headers = response.get_wsgi_response(environ)
                # The server adds the date of every answer itself.
                sent = [(name.lower().encode(), value.encode()) for name, value in headers if name != "Date"]
                return Answer(response.status_code, sent, b"".join(parts))
