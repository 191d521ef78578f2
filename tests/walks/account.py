"""An account that lives: its client, its clock, and bodies drawn from the contracts."""

from functools import cache
from typing import Any

from hypothesis import HealthCheck, Phase, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule
from hypothesis.strategies import DataObject, SearchStrategy

from tests.conftest import Person
from tests.focusguard.conftest import Clock
from tests.operations import named
from tests.walks.bodies import values_of
from tests.walks.plain import Members

HOURS = (0.01, 1, 24, 24 * 31)

draws = st.data()


def walks(number: int, *, steps: int = 1) -> settings:
    """Walk so often, the same ways each time; in the profile `long` forty times as often, and other ways each time."""
    is_long = settings.get_current_profile_name() == "long"
    return settings(
        max_examples=number * 40 if is_long else number,
        stateful_step_count=steps,
        derandomize=not is_long,
        phases=list(Phase) if is_long else [Phase.generate],
        deadline=None,
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    )


class Account(RuleBasedStateMachine):
    """One account. Time passes only where a rule says so."""

    def __init__(self, person: Person, clock: Clock) -> None:
        super().__init__()
        self.person, self.clock = person, clock
        self.ids = (person.id, person.uuid)

    @rule(hours=st.sampled_from(HOURS))
    def wait(self, hours: float) -> None:
        self.clock.wait(hours=hours)

    def get(self, path: str, **query: Any) -> Any:
        answer = self.person.client.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def send(self, method: str, path: str, body: object = None, status: int = 200) -> Any:
        """Send a body, which has to be answered with this status, and return the answer."""
        answer = self.person.client.request(method, path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json() if answer.content else None


@cache
def bodies(contract: str, operation_id: str) -> SearchStrategy[Members]:
    """Draw bodies that an operation takes."""
    return values_of(named(operation_id, contract).schema)


def drawn(data: DataObject, contract: str, operation_id: str) -> Members:
    return data.draw(bodies(contract, operation_id))


def one_of(data: DataObject, things: list[Members]) -> Members:
    """Choose one of some things; with none, this way of going on is none."""
    assume(things)
    return things[data.draw(st.integers(0, len(things) - 1))]
