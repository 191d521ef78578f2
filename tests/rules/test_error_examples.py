"""The errors that the contracts have as examples are those that the server sends, word for word."""

from collections.abc import Callable
from typing import Any

import pytest

from server.contracts import CONTRACTS, Contract
from tests.conftest import Person
from tests.operations import OPERATIONS, Operation, code_in
from tests.rules.causes import Scene, answers_with


def error_examples() -> list[Any]:
    """List the examples in the contracts' component responses."""
    return [
        pytest.param(contract, name, one["value"], id=f"{contract.name}-{name}-{key}")
        for contract in CONTRACTS
        for name, response in contract.document["components"]["responses"].items()
        for content in [response["content"][contract.media_type]]
        for key, one in (content.get("examples") or {"only": {"value": content.get("example")}}).items()
    ]


def operations_with(contract: Contract, response: str) -> list[Operation]:
    """List the operations that document a component response."""
    documenting = {
        (method.upper(), contract.mount + path)
        for path, methods in contract.document["paths"].items()
        for method, definition in methods.items()
        if {"$ref": f"#/components/responses/{response}"} in definition["responses"].values()
    }
    return [one for one in OPERATIONS if (one.method, one.path) in documenting]


def without_time(error: dict[str, Any]) -> dict[str, Any]:
    """Give all of an error but when it was."""
    members = {name: value for name, value in error.items() if name != "timestamp"}
    return {name: without_time(value) if isinstance(value, dict) else value for name, value in members.items()}


@pytest.mark.parametrize(("contract", "response", "example"), error_examples())
def test_an_error_reads_as_its_example(
    contract: Contract, response: str, example: dict[str, Any], new_person: Callable[[], Person]
):
    def is_sent_by(operation: Operation) -> bool:
        with pytest.MonkeyPatch.context() as patch:
            answers = answers_with(code_in(example), Scene(operation, new_person(), new_person(), patch))
            return any(answer.is_error and without_time(answer.json()) == without_time(example) for answer in answers)

    assert any(is_sent_by(operation) for operation in operations_with(contract, response))
