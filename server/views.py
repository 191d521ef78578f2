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
from server.deprecation import deprecation_notices
from server.operations import parameters_of
from server.scopes import findings

ALWAYS_FOUND = frozenset({"user", "token", "offered_token", "body", "query", "client_address"})
"""What a handler may ask for beside the operation's parameters; `query` holds all those of the query."""


class ContractError(Exception):
    """A contract and its handlers do not fit together; the server does not start."""


class View:
    """One operation's handler, with the arguments it takes and the status that the contract gives its success."""

    def __init__(self, operation: AbstractOperation, app: flask.Flask) -> None:
        self.app = app
        self.function: Any = operation.function
        self.arguments = tuple(inspect.signature(self.function).parameters)
        self.status = min(int(status) for status in operation.responses if status.startswith("2"))
        self.notices = deprecation_notices(operation._operation)
        self._refuse_unknown_arguments(operation)
        app.view_functions[operation.operation_id] = self.function

    def _refuse_unknown_arguments(self, operation: AbstractOperation) -> None:
        parameters = {parameter["name"] for parameter in parameters_of(operation)}
        if parameters & ALWAYS_FOUND:
            raise ContractError(f"{operation.operation_id} has a parameter that would pass for what the server found")
        unknown = set(self.arguments) - ALWAYS_FOUND - parameters
        if unknown:
            raise ContractError(f"{operation.operation_id} asks for {', '.join(sorted(unknown))}, which is not there")

    async def __call__(self, scope: Scope, _receive: Receive, send: Send) -> None:
        """Call the handler and answer what it returns: the operation's success, with nothing or JSON in it."""
        found = findings(scope)
        with self.app.app_context():
            content = self.function(**{name: found.get(name) for name in self.arguments})
        answer = self._answer(content)
        answer.headers += self.notices
        await answer.send(send)

    def _answer(self, content: Any) -> Answer:
        if isinstance(content, WithCookie):
            return with_cookie(json_answer(self.status, content.content), content.cookie)
        return Answer(self.status) if content is None else json_answer(self.status, content)
