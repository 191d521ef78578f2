"""One Connexion application a contract: Connexion has no security, validators or error shapes for each API."""

from collections.abc import Collection
from functools import partial
from importlib import import_module
from typing import Any

import flask
from connexion.middleware import ConnexionMiddleware
from connexion.operations import AbstractOperation
from connexion.resolver import Resolver

from server.contracts import Contract
from server.input_check import InputCheck
from server.operations import for_each_operation
from server.token_check import TokenCheck
from server.views import ContractError, View


class HandlerResolver(Resolver):
    """Finds handlers by name: contract, tag and operationId are package, module and function."""

    def __init__(self, contract: Contract) -> None:
        super().__init__(self._function_named)
        self.contract = contract

    def resolve_operation_id(self, operation: AbstractOperation) -> str:
        """Name the handler of an operation."""
        tag = self.contract.document["paths"][operation.path][operation.method]["tags"][0]
        return f"handlers.{self.contract.name}.{tag}.{operation.operation_id}"

    def _function_named(self, name: str) -> Any:
        module, _, function = name.rpartition(".")
        try:
            return getattr(import_module(module), function)
        except (ImportError, AttributeError) as error:
            # Not Connexion's ResolverError, which its middlewares pass over in silence.
            raise ContractError(f"openapi/{self.contract.name}.yaml asks for {name}: {error}") from error


def connexion_app(
    contract: Contract, document: dict[str, Any], *, allowed_origins: Collection[str] = ()
) -> ConnexionMiddleware:
    """Build the application of a contract: security, validation and Flask views of a document's operations.

    Raises `ContractError` when an operation has no handler or a handler asks for what the operation has not.
    """
    flask_app: Any = flask.Flask("quintet")
    token_check = partial(TokenCheck, allowed_origins=allowed_origins)
    middlewares: Any = [for_each_operation(part) for part in (token_check, InputCheck, View)]
    app = ConnexionMiddleware(
        flask_app,
        middlewares=middlewares,
        resolver=HandlerResolver(contract),
    )
    app.add_api(document)
    # Connexion would build its stack at the first request, and only then tell what does not fit.
    app.app, app.middleware_stack = app._build_middleware_stack()
    return app
