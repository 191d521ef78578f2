"""Request validation: parameters and body, by the schemas of the contract."""

from connexion.operations import AbstractOperation
from starlette.types import ASGIApp, Receive, Scope, Send

from server.bodies import Body
from server.operations import parameters_of
from server.parameters import PathParameters, QueryParameters
from server.scopes import findings, header


class InputCheck:
    """Lets requests of one operation pass whose input the contract allows."""

    def __init__(self, operation: AbstractOperation, next_app: ASGIApp) -> None:
        self.next_app = next_app
        self.path = PathParameters(parameters_of(operation), has_ids="404" in operation.responses)
        self.query = QueryParameters(parameters_of(operation))
        self.body = Body(operation.request_body) if operation.request_body else None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Read the input and pass on."""
        found = findings(scope)
        if self.body is not None:
            message = await receive()
            found["body"] = self.body.read(message["body"], header(scope, b"content-type"))
        found["query"] = self.query.read(scope["query_string"])
        found.update(found["query"])
        found.update(self.path.read(scope["path_params"]))
        await self.next_app(scope, receive, send)
