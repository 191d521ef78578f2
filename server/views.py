"""Flask's part: the handler of the matched operation, called as a view in Flask's application context.

Flask's own router is not asked. In Connexion's FlaskApp it is, and where it disagrees with the first router an
operation runs that nobody secured (spec-first/connexion#1879).
"""

import inspect
from typing import Any

import flask
from connexion.operations import AbstractOperation
from starlette.types import Receive, Scope, Send

from security.cookies import WithCookie
from server.answers import Answer, json_answer, with_cookie
from server.operations import parameters_of
from server.scopes import findings

ALWAYS_FOUND = frozenset({"user", "token", "offered_token", "body", "client_address"})
"""What a handler may ask for beside the operation's parameters."""


class ContractError(Exception):
    """A contract and its handlers do not fit together; the server does not start."""


class View:
    """One operation's handler, with the arguments it takes and the status that the contract gives its success."""

    def __init__(self, operation: AbstractOperation, app: flask.Flask) -> None:
        self.app = app
        self.function: Any = operation.function
        self.arguments = tuple(inspect.signature(self.function).parameters)
        self.status = min(int(status) for status in operation.responses if status.startswith("2"))
        self._refuse_unknown_arguments(operation)
        app.view_functions[operation.operation_id] = self.function

    def _refuse_unknown_arguments(self, operation: AbstractOperation) -> None:
        known = ALWAYS_FOUND | {parameter["name"] for parameter in parameters_of(operation)}
        unknown = set(self.arguments) - known
        if unknown:
            raise ContractError(f"{operation.operation_id} asks for {', '.join(sorted(unknown))}, which is not there")

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Call the handler and answer what it returns: the operation's success, with nothing or JSON in it."""
        found = findings(scope)
        with self.app.app_context():
            content = self.function(**{name: found.get(name) for name in self.arguments})
        await self._answer(content).send(send)

    def _answer(self, content: Any) -> Answer:
        if isinstance(content, WithCookie):
            return with_cookie(json_answer(self.status, content.content), content.cookie)
        return Answer(self.status) if content is None else json_answer(self.status, content)
