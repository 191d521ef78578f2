"""The one router: all paths of all contracts, and which of them a request's path means."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from connexion.http_facts import METHODS

from server.contracts import Contract


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path of one contract."""

    contract: Contract
    operation_id: str
    definition: Mapping[str, Any]

    @property
    def takes_body(self) -> bool:
        """Whether its requests may have a body."""
        return "requestBody" in self.definition

    @property
    def hashes_password(self) -> bool:
        """Whether it computes a bcrypt hash, which takes a quarter of a second (`x-hashes-password`)."""
        return self.definition.get("x-hashes-password", False)

    @property
    def deleted_account(self) -> int:
        """The status for a sound token whose account is gone (`x-deleted-account`)."""
        return self.definition.get("x-deleted-account", 401)


@dataclass(slots=True)
class Route:
    """A path template and its operations by method."""

    template: str
    operations: dict[str, Operation] = field(default_factory=dict)

    @property
    def contract(self) -> Contract:
        """The contract that it is of, or the first of them."""
        return next(iter(self.operations.values())).contract

    def allowed(self) -> list[str]:
        """List the methods it takes; GET answers HEAD as well (RFC 9110, section 9.3.2)."""
        return sorted(self.operations.keys() | ({"HEAD"} if "GET" in self.operations else set()))

    def parameters(self, segments: list[str]) -> dict[str, str]:
        """Take the values of the path's parameters out of a path's segments."""
        names = self.template.strip("/").split("/")
        return {name[1:-1]: value for name, value in zip(names, segments, strict=True) if name.startswith("{")}


class Routes:
    """A tree of path segments. Literal segments come before templates, whichever contract they are of."""

    def __init__(self) -> None:
        self.root: dict[str, Any] = {}

    def add(self, path: str, method: str, operation: Operation) -> None:
        """Serve an operation at a path. The first operation at one path and method stays."""
        node = self.root
        for segment in path.strip("/").split("/"):
            node = node.setdefault("{}" if segment.startswith("{") else segment, {})
        route = node.setdefault("", Route(path))
        route.operations.setdefault(method.upper(), operation)

    def find(self, raw_path: bytes) -> tuple[Route, dict[str, str]] | None:
        """Find the route of a path as it stands in the request line, and the values of its parameters.

        Percent-encoding is undone within the segments, so that an encoded slash stays within its own.
        """
        segments = [unquote(one) for one in raw_path.decode("latin-1")[1:].split("/")]
        route = _descend(self.root, segments, 0)
        return None if route is None else (route, route.parameters(segments))

    def __iter__(self) -> Iterator[Route]:
        """Go over all routes."""
        nodes = [self.root]
        while nodes:
            for key, value in nodes.pop().items():
                if key:
                    nodes.append(value)
                else:
                    yield value


def _descend(node: dict[str, Any], segments: list[str], depth: int) -> Route | None:
    if depth == len(segments):
        return node.get("")
    segment = segments[depth]
    for key in (segment, "{}"):
        if segment and key in node:
            route = _descend(node[key], segments, depth + 1)
            if route is not None:
                return route
    return None


def routes_of(contracts: tuple[Contract, ...]) -> Routes:
    """Collect the routes of all contracts, in their order of precedence."""
    routes = Routes()
    for contract in contracts:
        for path, methods in contract.document["paths"].items():
            for method, definition in methods.items():
                if method in METHODS:
                    operation_id = f"handlers.{contract.name}.{definition['tags'][0]}.{definition['operationId']}"
                    routes.add(contract.mount + path, method, Operation(contract, operation_id, definition))
    return routes
