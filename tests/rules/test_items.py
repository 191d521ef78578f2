"""Things that a path names: what their refusals tell. Who is refused, test_access.py tries."""

from collections.abc import Callable

import pytest

from db.errors import NotYours
from language.errors import BadInput
from tests.conftest import Person, once
from tests.operations import Operation, code_of, for_each, make_item, no_item, request_of


def is_numbered(operation: Operation) -> bool:
    return isinstance(no_item(operation), int)


@for_each(lambda operation: operation.item and operation.contract.status_of(NotYours) == 404)
def test_where_somebody_elses_thing_is_a_404_nobody_can_tell_that_it_is_there(
    operation: Operation, new_person: Callable[[], Person]
):
    caller = new_person()
    ids = [make_item(operation, new_person()), no_item(operation)]

    answers = [caller.client.request(**request_of(operation, caller, item=one)).json() for one in ids]

    foreign, unknown = [answer | {"timestamp": ""} for answer in answers]
    assert foreign == unknown


@for_each(lambda operation: operation.item and not is_numbered(operation))
def test_a_uuid_may_be_written_in_capitals(operation: Operation, person: Person):
    capitals = str(make_item(operation, person)).upper()

    response = person.client.request(**request_of(operation, person, item=capitals))

    assert response.status_code == operation.success


@once
@for_each(lambda operation: operation.item and operation.members)
@pytest.mark.parametrize("is_there", [True, False], ids=["somebody else's", "unknown"])
def test_bad_input_is_told_before_the_thing_is_looked_for(
    operation: Operation, is_there: bool, new_person: Callable[[], Person]
):
    caller = new_person()
    item = make_item(operation, new_person()) if is_there else no_item(operation)
    request = request_of(operation, caller, item=item)
    request["json"] = dict.fromkeys(operation.members, 1.5)

    response = caller.client.request(**request)

    assert code_of(response) == (operation.contract.status_of(BadInput), "bad_input")
