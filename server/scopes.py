"""What travels with a request in its ASGI scope: the routing decision and what was found out on the way."""

from typing import Any

from connexion.middleware.abstract import ROUTING_CONTEXT
from starlette.types import Scope


def routed(scope: Scope, *, mount: str, operation_id: str, path_params: dict[str, str]) -> Scope:
    """Write the routing decision where Connexion's middlewares look for it; they all go by this one."""
    return {
        **scope,
        "path_params": path_params,
        "extensions": {
            ROUTING_CONTEXT: {"api_base_path": mount, "operation_id": operation_id},
            "findings": {"client_address": client_address(scope)},
        },
    }


def findings(scope: Scope) -> dict[str, Any]:
    """What the checks on the way found out, by the names under which handlers ask for it."""
    return scope["extensions"]["findings"]


def client_address(scope: Scope) -> str:
    """Tell where the request comes from; over a UNIX socket all clients are one."""
    return scope["client"][0] if scope["client"] else "local"


def header(scope: Scope, name: bytes) -> str | None:
    """Read a request header, given in lower case; None when it is missing."""
    for key, value in scope["headers"]:
        if key == name:
            return value.decode("latin-1")
    return None
