"""Holds every answer that a test gets to what its contract says: status, media type, headers, body."""

from typing import Any

import httpx

from server.contracts import CONTRACTS
from server.routing.routes import Endpoint, Routes
from tests.contract_walk import specification, strict_validator_for

ROUTES = Routes(CONTRACTS)
NEVER_DOCUMENTED = {405}
"""A path answers it for methods that it has no operation for."""


def hold_to_contract(response: httpx.Response) -> None:
    """Fail unless the contract documents this answer of one of its operations."""
    operation = operation_of(response.request)
    if operation is None or response.status_code in NEVER_DOCUMENTED:
        return
    response.read()
    documented = resolved(operation)["responses"]
    status = str(response.status_code)
    assert status in documented, f"{operation.template} answered an undocumented {status}: {response.text}"
    _hold_headers(response, documented[status].get("headers", {}))
    if response.request.method != "HEAD":
        _hold_body(response, documented[status].get("content", {}))


def operation_of(request: httpx.Request) -> Endpoint | None:
    """Find the operation that a request means."""
    match = ROUTES.find(request.url.raw_path.partition(b"?")[0])
    method = "GET" if request.method == "HEAD" else request.method
    return match[0].endpoints.get(method) if match else None


def resolved(operation: Endpoint) -> dict[str, Any]:
    """Return an operation's definition with all references resolved."""
    path = operation.template.removeprefix(operation.contract.mount)
    return specification(operation.contract)["paths"][path][operation.method.lower()]


def _hold_headers(response: httpx.Response, documented: dict[str, Any]) -> None:
    for name, header in documented.items():
        value = response.headers.get(name)
        assert value is not None or not header.get("required"), f"the answer lacks {name}"
        if value is not None:
            typed = int(value) if header["schema"]["type"] == "integer" else value
            strict_validator_for(header["schema"]).validate(typed)


def _hold_body(response: httpx.Response, documented: dict[str, Any]) -> None:
    if not documented:
        assert response.content == b""
        return
    media_type = response.headers["content-type"]
    assert media_type in documented, f"undocumented media type {media_type}"
    strict_validator_for(documented[media_type]["schema"]).validate(response.json())
