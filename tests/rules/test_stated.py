"""The operations that the texts have, and the statuses that they state for each of them, are in the contracts."""

import pytest

from tests.contract_walk import contract_named, operations
from tests.rules.texts import TEXTS, Text

each_text = pytest.mark.parametrize(("name", "text"), TEXTS.items(), ids=TEXTS)


@each_text
def test_the_operations_are_those_of_the_text_at_its_base_path(name: str, text: Text):
    contract = contract_named(name)

    found = {f"{method.upper()} {path}" for (path, method), _ in operations(contract)}

    assert found == text.statuses.keys()
    assert contract.mount == text.url


@each_text
def test_each_stated_status_is_documented(name: str, text: Text):
    documented = {
        f"{method.upper()} {path}": {int(status) for status in operation["responses"]}
        for (path, method), operation in operations(contract_named(name))
    }

    missing = {operation: statuses - documented[operation] for operation, statuses in text.statuses.items()}

    assert missing == {operation: set() for operation in documented}


@each_text
def test_no_operation_of_a_text_is_forgotten(name: str, text: Text):
    assert len(text.statuses) == text.size
