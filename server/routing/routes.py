"""The route table: all paths of all contracts, and which of them the path of a request means."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from connexion.http_facts import METHODS

from server.contracts import Contract, is_template, segments_of


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One method of one path of one contract."""

    contract: Contract
    method: str
    template: str
    definition: Mapping[str, Any]
    routing: Mapping[str, str]
    """What Connexion's middlewares find the operation by: the base path of its API, and its name."""
    parameters: tuple[tuple[str, int], ...]
    """The names of the path's parameters, each with the number of its segment."""


def endpoint_of(contract: Contract, method: str, path: str, definition: Mapping[str, Any]) -> Endpoint:
    """Make the endpoint of an operation of a contract, found by its method and its path in the YAML file."""
    template = contract.mount + path
    parts = enumerate(segments_of(template.encode()))
    parameters = tuple((part[1:-1], number) for number, part in parts if is_template(part))
    routing = {"api_base_path": contract.mount, "operation_id": operation_id_of(contract, definition)}
    return Endpoint(contract, method.upper(), template, definition, routing, parameters)


def operation_id_of(contract: Contract, definition: Mapping[str, Any]) -> str:
    """Name an operation by contract, tag and operationId: the package, module and name of its handler."""
    return f"{contract.name}.{definition['tags'][0]}.{definition['operationId']}"


@dataclass(slots=True)
class Route:
    """A path template and its endpoints by method; each may call the path's parameters by other names."""

    template: str
    contract: Contract
    """The contract that it is of, or the first of them."""
    endpoints: dict[str, Endpoint] = field(default_factory=dict)

    def allowed(self) -> list[str]:
        """List the methods it takes; GET answers HEAD as well (RFC 9110, section 9.3.2)."""
        return sorted(self.endpoints.keys() | ({"HEAD"} if "GET" in self.endpoints else set()))


@dataclass(slots=True)
class Node:
    """What may follow a segment of a path: a segment of these names, one of any name, or nothing more."""

    literals: dict[str, "Node"] = field(default_factory=dict)
    template: "Node | None" = None
    route: Route | None = None
    is_base: bool = False
    """Whether a base path ends here: what is not found below it is not looked for elsewhere."""

    def child(self, segment: str) -> "Node":
        """Return the node of a segment of a template, made if it is missing."""
        if not is_template(segment):
            return self.literals.setdefault(segment, Node())
        self.template = self.template or Node()
        return self.template


class Routes:
    """A tree of path segments. Literal segments come before templates, whichever contract they are of."""

    def __init__(self, contracts: Iterable[Contract]) -> None:
        """Collect the routes of all contracts, which come in their order of precedence."""
        self.root = Node()
        for contract in contracts:
            self._node_at(contract.base_segments).is_base = True
            for path, methods in contract.document["paths"].items():
                for method, definition in methods.items():
                    if method in METHODS:
                        self._add(endpoint_of(contract, method, path, definition))

    def _add(self, endpoint: Endpoint) -> None:
        node = self._node_at(segments_of(endpoint.template.encode()))
        node.route = node.route or Route(endpoint.template, endpoint.contract)
        node.route.endpoints.setdefault(endpoint.method, endpoint)

    def _node_at(self, segments: list[str]) -> Node:
        node = self.root
        for segment in segments:
            node = node.child(segment)
        return node

    def find(self, raw_path: bytes) -> tuple[Route, list[str]] | None:
        """Find the route of a path as it stands in the request line, and the path's segments."""
        segments = segments_of(raw_path) if b"%" in raw_path else raw_path[1:].decode("latin-1").split("/")
        untried = [(self.root, 0)]
        while untried:
            node, depth = untried.pop()
            if depth == len(segments):
                if node.route is not None:
                    return node.route, segments
                continue
            # An empty segment is a value like any other, but nothing after a final slash is none.
            if node.template is not None and (segments[depth] or depth < len(segments) - 1):
                untried.append((node.template, depth + 1))
            literal = node.literals.get(segments[depth])
            if literal is not None:
                untried = [] if literal.is_base else untried
                untried.append((literal, depth + 1))
        return None

    def document_of(self, contract: Contract) -> dict[str, Any]:
        """Return a contract's document without the operations that an earlier contract answers in its place."""
        served = [id(one.definition) for route in self for one in route.endpoints.values()]
        paths = {
            path: {name: one for name, one in item.items() if name not in METHODS or id(one) in served}
            for path, item in contract.document["paths"].items()
        }
        return {**contract.document, "paths": paths}

    def __iter__(self) -> Iterator[Route]:
        """Iterate over all routes."""
        nodes = [self.root]
        while nodes:
            node = nodes.pop()
            nodes += [*node.literals.values(), *([node.template] if node.template else [])]
            if node.route is not None:
                yield node.route
