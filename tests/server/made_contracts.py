"""Contracts that tests make, and the application over them alone."""

from typing import Any

import pytest

from server import app, contracts
from server.app import Quintet
from server.contracts import Contract


def operation(name: str, *parameters: dict[str, Any], status: str = "200", **more: Any) -> dict[str, Any]:
    responses = {status: {"description": "Done."}, "404": {"description": "Not there."}}
    return {"operationId": name, "tags": ["things"], "parameters": parameters, "responses": responses, **more}


def teller(name: str, definition: dict[str, Any]) -> Any:
    """Make a function that takes the parameters of its operation and returns them."""
    names = [one["name"] for one in definition["parameters"]] + ["body"] * ("requestBody" in definition)
    scope: dict[str, Any] = {}
    exec(f"def tell({', '.join(names)}): return ['{name}', dict({', '.join(f'{one}={one}' for one in names)})]", scope)
    return scope["tell"]


def serving(monkeypatch: pytest.MonkeyPatch, *made: Contract) -> Quintet:
    """Build the application of these contracts in the place of the product's own."""
    for module in (app, contracts):
        monkeypatch.setattr(module, "CONTRACTS", made)
    return Quintet()
