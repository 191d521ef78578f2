"""Checks and views for each operation, as Connexion middlewares."""

from collections.abc import Callable
from typing import Any

from connexion.middleware.abstract import RoutedAPI, RoutedMiddleware
from connexion.operations import AbstractOperation
from starlette.types import ASGIApp


def parameters_of(operation: AbstractOperation) -> list[dict[str, Any]]:
    """List the definitions of an operation's parameters."""
    return operation.parameters or []  # type: ignore[return-value]


def for_each_operation(build: Callable[[AbstractOperation, Any], ASGIApp]) -> type[RoutedMiddleware]:
    """Make a Connexion middleware that holds one application an operation, built at start by `build`.

    Connexion's own work out the same things anew at every request. The operation is looked up by the routing
    decision in the scope, so all middlewares and the view go by the same one.
    """

    class API(RoutedAPI[ASGIApp]):
        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self.add_paths()

        def make_operation(self, operation: AbstractOperation) -> ASGIApp:
            return build(operation, self.next_app)

    class Middleware(RoutedMiddleware[API]):
        api_cls = API

    return Middleware
