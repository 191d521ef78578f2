"""The law of echoes: what a contract shows, sent back whole, is taken and changes nothing, whoever stored it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.conftest import Person
from tests.operations import OPERATIONS, Operation, named, send
from tests.rules import references
from tests.walks.account import walks
from tests.walks.bodies import values_of

PLACES = {(one.method, one.path): one for one in OPERATIONS}
CHANGERS = [one for one in OPERATIONS if one.method in {"PUT", "PATCH"} and ("GET", one.path) in PLACES]
MAKERS = [one for one in OPERATIONS if one.method == "POST" and one.token == "access" and one.success == 201]
OF_THE_ACCOUNT = [one for one in CHANGERS if one.item is None]
"""What is there from the beginning, and is changed alone: the account, its profile."""

UPDATE_TAG = named("update_tag", "fullstack")
"""Tags are shown in their list alone."""


@dataclass(frozen=True)
class Place:
    """Where a thing is changed, and the schema of what is sent there."""

    method: str
    path: str
    schema: dict[str, Any] = field(repr=False, compare=False)


Shown = dict[Place, dict[str, Any]]
"""All that a person is shown and can change."""


def test_all_that_can_be_changed_is_echoed_except_what_is_no_thing():
    changing = {one.id for one in OPERATIONS if one.method in {"PUT", "PATCH"}}

    not_echoed = changing - {one.id for one in [*CHANGERS, UPDATE_TAG]}

    assert not_echoed == {"set_task_completion", "toggle_task_status", "change_password"}


@pytest.mark.parametrize("maker", [*MAKERS, *OF_THE_ACCOUNT], ids=lambda one: f"{one.contract.name}-{one.id}")
def test_what_is_shown_and_sent_back_changes_nothing(new_person: Callable[..., Person], maker: Operation):
    @walks(2)
    @given(body=values_of(maker.schema), data=st.data())
    def walk(body: dict[str, Any], data: st.DataObject) -> None:
        person = new_person()
        made = ask(person, Place(maker.method, path_of(maker, person), maker.schema), with_own(body, person))
        assert made.is_success or not body, made.text
        changed = data.draw(st.sampled_from(list(all_shown(person))))
        ask(person, changed, with_own(data.draw(values_of(changed.schema)), person))
        shown = all_shown(person)

        echoes = [ask(person, place, thing) for place, thing in shown.items()]

        assert [echo.text for echo in echoes if echo.is_error] == []
        assert all_shown(person) == shown

    walk()


def ask(person: Person, place: Place, body: dict[str, Any]) -> httpx.Response:
    return person.client.request(place.method, place.path, json=body)


def with_own(body: dict[str, Any], person: Person) -> dict[str, Any]:
    """Put things of the person's in place of those that a drawn body names."""
    makers = {name: maker for name, maker in references.MAKERS.items() if body.get(name) is not None}
    return body | {name: send(maker, person)["id"] for name, maker in makers.items()}


def all_shown(person: Person) -> Shown:
    """Read all that the person is shown and can change."""
    return {
        Place(one.method, path, one.schema): thing
        for one in [*CHANGERS, UPDATE_TAG]
        for path, thing in shown_by(one, person)
    }


def shown_by(changer: Operation, person: Person) -> Iterator[tuple[str, dict[str, Any]]]:
    path = path_of(changer, person)
    if changer.item is None:
        yield path, person.client.get(path).json()
        return
    collection = path_of(changer, person).partition("/{")[0]
    answer = person.client.get(collection).json()
    for thing in answer if isinstance(answer, list) else next(one for one in answer.values() if isinstance(one, list)):
        at = f"{collection}/{thing['id']}"
        yield at, thing if changer is UPDATE_TAG else person.client.get(at).json()


def path_of(operation: Operation, person: Person) -> str:
    return operation.path.replace("{user_id}", person.uuid)
