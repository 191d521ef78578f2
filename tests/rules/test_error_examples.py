"""The errors that the contracts have as examples are those that the server sends, word for word."""

from collections.abc import Callable
from typing import Any

import pytest
import yaml

from server.contracts import CONTRACTS, Contract
from tests.conftest import Person, once
from tests.contract_walk import contract_named, specification
from tests.operations import OPERATIONS, Operation, code_in
from tests.rules.causes import DECIDED_WITHOUT_ROWS, Scene, answers_with
from tools.contract import written


def for_each_example(condition: Callable[[str], bool]) -> pytest.MarkDecorator:
    """Run a test for each example in the contracts' component responses whose code the condition holds for."""
    examples = [
        pytest.param(contract, name, one["value"], id=f"{contract.name}-{name}-{key}")
        for contract in CONTRACTS
        for name, response in specification(contract)["components"]["responses"].items()
        for content in [response["content"][contract.media_type]]
        for key, one in (content.get("examples") or {"only": {"value": content.get("example")}}).items()
        if condition(code_in(one["value"]))
    ]
    return pytest.mark.parametrize(("contract", "response", "example"), examples)


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
    """Return all of an error but its time."""
    members = {name: value for name, value in error.items() if name != "timestamp"}
    return {name: without_time(value) if isinstance(value, dict) else value for name, value in members.items()}


def hold_to_what_is_sent(
    example: dict[str, Any], contract: Contract, response: str, new_person: Callable[[], Person]
) -> None:
    """Provoke an error of every operation that documents it, and fail unless one of them answers like the example."""
    sent: list[dict[str, Any]] = []
    for operation in operations_with(contract, response):
        with pytest.MonkeyPatch.context() as patch:
            answers = answers_with(code_in(example), Scene(operation, new_person(), new_person(), patch))
            sent += (answer.json() for answer in answers if answer.is_error)
        if without_time(example) in map(without_time, sent):
            return
    pytest.fail(f"{contract.path.name}, {response}: {code_in(example)} {what_to_write(sent, code_in(example))}")


def what_to_write(sent: list[dict[str, Any]], code: str) -> str:
    """Say how the errors read that were sent, those with the code of the example if there are any, as YAML to paste."""
    alike = [error for error in sent if code_in(error) == code] or sent
    texts = dict.fromkeys(written(without_time(error)) for error in alike)
    return "\n\n".join(["is not sent as the example says, but:", *texts]) if texts else "could not be provoked at all"


@once
@for_each_example(lambda code: code in DECIDED_WITHOUT_ROWS)
def test_an_error_of_the_request_reads_as_its_example(
    contract: Contract, response: str, example: dict[str, Any], new_person: Callable[[], Person]
):
    hold_to_what_is_sent(example, contract, response, new_person)


@for_each_example(lambda code: code not in DECIDED_WITHOUT_ROWS)
def test_an_error_of_what_there_is_reads_as_its_example(
    contract: Contract, response: str, example: dict[str, Any], new_person: Callable[[], Person]
):
    hold_to_what_is_sent(example, contract, response, new_person)


@once
def test_a_wrong_example_is_answered_by_what_is_really_sent(new_person: Callable[[], Person]):
    todo = contract_named("todo")
    wrong = {"error": {"code": "token_expired", "message": "Too old.", "details": None}}

    with pytest.raises(pytest.fail.Exception, match="is not sent as the example says") as failure:
        hold_to_what_is_sent(wrong, todo, "Unauthenticated", new_person)

    _, told = str(failure.value).split("\n\n")
    (examples,) = specification(todo)["components"]["responses"]["Unauthenticated"]["content"].values()
    assert yaml.safe_load(told) == examples["examples"]["expired"]["value"]
