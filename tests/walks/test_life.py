"""A life in all five contracts, held to plain dictionaries: whatever is done through one is seen through all."""

from collections.abc import Callable

import pytest
from hypothesis.stateful import run_state_machine_as_test

from tests.conftest import Person
from tests.focusguard.conftest import Clock
from tests.walks.account import walks
from tests.walks.focus import FocusLife
from tests.walks.tasks import TaskLife


class Life(TaskLife, FocusLife):
    """All that one account does in all five contracts."""


@pytest.mark.usefixtures("lasting_tokens")
def test_whatever_is_done_through_one_contract_is_seen_through_all(new_person: Callable[..., Person], clock: Clock):
    began_at = clock.at

    class Born(Life):
        def __init__(self) -> None:
            clock.at = began_at
            super().__init__(new_person(), clock)

    run_state_machine_as_test(Born, settings=walks(4, steps=25))
