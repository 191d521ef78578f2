"""The one router: all paths of all contracts, and which of them a request's path means."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connexion.http_facts import METHODS

from server.contracts import Contract, is_template, segments_of


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path of one contract."""

    contract: Contract
    method: str
    template: str
    operation_id: str
    definition: Mapping[str, Any]

    def parameters(self, segments: list[str]) -> dict[str, str]:
        """Take the values of its path's parameters out of a path's segments."""
        names = self.template.strip("/").split("/")
        return {name[1:-1]: value for name, value in zip(names, segments, strict=True) if name.startswith("{")}

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
    """A path template and its operations by method; each may call the path's parameters by other names."""

    template: str
    operations: dict[str, Operation] = field(default_factory=dict)

    @property
    def contract(self) -> Contract:
        """The contract that it is of, or the first of them."""
        return next(iter(self.operations.values())).contract

    def allowed(self) -> list[str]:
        """List the methods it takes; GET answers HEAD as well (RFC 9110, section 9.3.2)."""
        return sorted(self.operations.keys() | ({"HEAD"} if "GET" in self.operations else set()))


class Node(dict[str, Any]):
    """What may follow a segment: further nodes, and at "" the route that ends here."""

    is_base = False
    """Whether a base path ends here: what is not found below it is not looked for elsewhere."""


class Routes:
    """A tree of path segments. Literal segments come before templates, whichever contract they are of."""

    def __init__(self) -> None:
        self.root = Node()

    def node_at(self, segments: list[str]) -> Node:
        """Find the node at the end of a path, made if it is missing."""
        node = self.root
        for segment in segments:
            node = node.setdefault("{}" if is_template(segment) else segment, Node())
        return node

    def add(self, operation: Operation) -> None:
        """Serve an operation at its path. The first operation at one path and method stays."""
        route = self.node_at(operation.template[1:].split("/")).setdefault("", Route(operation.template))
        route.operations.setdefault(operation.method, operation)

    def document_of(self, contract: Contract) -> dict[str, Any]:
        """Give a contract's document without the operations that an earlier contract answers in its place."""
        served = [id(one.definition) for route in self for one in route.operations.values()]
        paths = {
            path: {name: one for name, one in item.items() if name not in METHODS or id(one) in served}
            for path, item in contract.document["paths"].items()
        }
        return {**contract.document, "paths": paths}

    def find(self, raw_path: bytes) -> tuple[Route, list[str]] | None:
        """Find the route of a path as it stands in the request line, and the path's segments."""
        segments = segments_of(raw_path)
        route = _descend(self.root, segments, 0)
        return None if route is None else (route, segments)

    def __iter__(self) -> Iterator[Route]:
        """Go over all routes."""
        nodes = [self.root]
        while nodes:
            for key, value in nodes.pop().items():
                if key:
                    nodes.append(value)
                else:
                    yield value


def _descend(node: Node, segments: list[str], depth: int) -> Route | None:
    if depth == len(segments):
        return node.get("")
    for key in _keys(segments, depth):
        if key in node:
            route = _descend(node[key], segments, depth + 1)
            if route is not None or node[key].is_base:
                return route
    return None


def _keys(segments: list[str], depth: int) -> tuple[str, ...]:
    # An empty segment is a value like any other, but nothing after a final slash is none.
    if segments[depth]:
        return segments[depth], "{}"
    return () if depth == len(segments) - 1 else ("{}",)


def routes_of(contracts: tuple[Contract, ...]) -> Routes:
    """Collect the routes of all contracts, in their order of precedence."""
    routes = Routes()
    for contract in contracts:
        routes.node_at(contract.base_segments).is_base = True
        for path, methods in contract.document["paths"].items():
            for method, definition in methods.items():
                if method in METHODS:
                    operation_id = f"handlers.{contract.name}.{definition['tags'][0]}.{definition['operationId']}"
                    template = contract.mount + path
                    routes.add(Operation(contract, method.upper(), template, operation_id, definition))
    return routes
