"""Flask's part in an operation: its view function, found by its endpoint and called in the application context.

Connexion's FlaskApp enters Flask as a WSGI server does: it writes an environment, lets Werkzeug match the path a second
time, crosses between thread and event loop for each part of an answer, and inspects the view function. Here the
operation that Connexion matched, secured and validated is called right away:

- Where two routers disagree, one operation's function runs under another's security (spec-first/connexion#1879).
- Measured in a prototype with PostgreSQL, 2,400 requests a second were answered instead of 1,760.
"""

import inspect
from collections.abc import Hashable, Iterator
from functools import partial
from typing import Any

import flask
from connexion.frameworks.flask import flaskify_endpoint
from connexion.middleware.abstract import RoutedAPI, RoutedMiddleware
from connexion.operations import AbstractOperation
from starlette.types import Receive, Scope, Send

from db.sql.deadlocks import trying_anew
from security.cookies import WithCookie
from server.answers.answers import Answer, deprecation_notices
from server.answers.locations import Locator, locator
from server.answers.streams import answer_of, send_parts
from server.asgi import client_address
from server.lanes import Lanes
from server.validation.parameters import PathParameters

FOUND = frozenset({"user", "token", "refusal", "body", "client_address"})
"""What a handler may ask for beside its parameters."""


class ContractError(Exception):
    """A contract and its handlers do not fit together; the server does not start."""


class View:
    """One operation's view function, with the arguments it takes and the status that the contract gives its success."""

    def __init__(
        self, operation: AbstractOperation, app: flask.Flask, endpoint: str, lanes: Lanes, locate: Locator | None
    ) -> None:
        words = operation._operation
        parameters: list[dict[str, Any]] = operation.parameters or []  # type: ignore[assignment]
        self.app = app
        self.endpoint = endpoint
        self.path = PathParameters(parameters, has_ids="404" in operation.responses)
        self.arguments = tuple(inspect.signature(operation.function).parameters)
        self.status = min(int(status) for status in operation.responses if status.startswith("2"))
        self.notices = deprecation_notices(words)
        self.locate = locate
        hashes_password = words.get("x-hashes-password", False)
        self.lane = lanes.lane_of(operation.method, hashes_password=hashes_password)
        self.watches_client = hashes_password
        self.answer = self._answer if operation.method == "get" else partial(trying_anew, self._answer)
        _refuse_unknown_arguments(operation, self.arguments, {one["name"] for one in parameters})
        app.view_functions[endpoint] = operation.function

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request that Connexion let pass."""
        work, whose = partial(self.answer, self._arguments_of(scope)), partial(_whose, scope)
        answer = await self.lane.run(work, whose, receive if self.watches_client else None)
        rest = answer.rest
        if rest is None or scope["method"] == "HEAD":
            await answer.send(send)
        else:
            await send_parts(answer, lambda: self.lane.run(partial(self._go_on, rest), whose), receive, send)

    def _arguments_of(self, scope: Scope) -> dict[str, Any]:
        found = scope["extensions"]["connexion_context"]
        if self.path.parameters:
            found.update(self.path.read(scope["path_params"]))
        if "client_address" in self.arguments:
            found["client_address"] = client_address(scope)
        return {name: found.get(name) for name in self.arguments}

    def _answer(self, arguments: dict[str, Any]) -> Answer:
        with self.app.app_context():
            content = self.app.view_functions[self.endpoint](**arguments)
        cookies = []
        if isinstance(content, WithCookie):
            content, cookies = content.content, [(b"set-cookie", content.cookie.encode())]
        answer = Answer(self.status) if content is None else answer_of(self.status, content)
        answer.headers += [*cookies, *self.notices]
        if self.locate is not None:
            answer.headers.append(self.locate(content))
        return answer

    def _go_on(self, rest: Iterator[bytes]) -> bytes | None:
        with self.app.app_context():
            return next(rest, None)


def _whose(scope: Scope) -> Hashable:
    token = scope["extensions"]["connexion_context"].get("token")
    return client_address(scope) if token is None else token.account_uuid


def _refuse_unknown_arguments(operation: AbstractOperation, arguments: tuple[str, ...], parameters: set[str]) -> None:
    if parameters & FOUND:
        raise ContractError(f"{operation.operation_id} has a parameter that would pass for what the server found")
    unknown = set(arguments) - FOUND - parameters
    if unknown:
        raise ContractError(f"{operation.operation_id} asks for {', '.join(sorted(unknown))}, which is not there")


class _API(RoutedAPI[View]):
    def __init__(self, *args: Any, lanes: Lanes, name: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lanes, self.name = lanes, name
        self.add_paths()

    def make_operation(self, operation: AbstractOperation) -> View:
        # Connexion's Flask application, the next in the stack, has registered the operation by this name.
        endpoint = f"{self.name}.{flaskify_endpoint(operation.operation_id)}"
        return View(operation, self.next_app.app, endpoint, self.lanes, self._locator_of(operation))  # type: ignore[attr-defined]

    def _locator_of(self, operation: AbstractOperation) -> Locator | None:
        created = operation.responses.get("201", {})
        if "Location" not in created.get("headers", {}):
            return None
        locate = locator(created.get("links", {}), self.specification["paths"], self.base_path or "")
        if locate is None:
            raise ContractError(f"{operation.operation_id} has a Location, but no link that leads there")
        return locate


class Views(RoutedMiddleware[_API]):
    """The last slot: calls the view of the operation. What is no operation goes on to Flask's pages."""

    api_cls = _API

    def __init__(self, app: Any, *, lanes: Lanes) -> None:
        super().__init__(app)
        self.lanes = lanes

    def add_api(self, specification: Any, **kwargs: Any) -> Any:
        """Build the views of an API. Raises `ContractError`."""
        return super().add_api(specification, lanes=self.lanes, **kwargs)
