"""Things that a path names: somebody else's, unknown ones, and what cannot be an id."""

from collections.abc import Callable

import pytest

from db.errors import NotYours
from language.errors import BadInput
from tests.conftest import Person, once
from tests.operations import Operation, code_of, for_each, kept_of, make_item, no_item, request_of

NO_IDS = ["abc", "%20", "1%00", "%FF", "%2F", "%D9%A1", "9" * 5000]
NO_NUMBERS = [*NO_IDS, "0", "-1", "9223372036854775808", "1.5", "1e3", "01", "+1"]
NO_UUIDS = [*NO_IDS, "1", "a0eebc999c0b4ef8bb6d6bb9bd380a11", "{a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11}"]

names_item = for_each(lambda operation: operation.item)


def is_numbered(operation: Operation) -> bool:
    return isinstance(no_item(operation), int)


@names_item
def test_somebody_elses_thing_is_refused_as_the_contract_says(operation: Operation, new_person: Callable[[], Person]):
    owner, caller = new_person(), new_person()
    foreign = make_item(operation, owner)
    before = kept_of(owner)

    response = caller.client.request(**request_of(operation, caller, item=foreign))

    status, code = code_of(response)
    assert status == operation.contract.status_of(NotYours)
    assert (code or "").endswith("forbidden" if status == 403 else "_not_found")
    assert kept_of(owner) == before


@for_each(lambda operation: operation.item and operation.contract.status_of(NotYours) == 404)
def test_where_somebody_elses_thing_is_a_404_nobody_can_tell_that_it_is_there(
    operation: Operation, new_person: Callable[[], Person]
):
    caller = new_person()
    ids = [make_item(operation, new_person()), no_item(operation)]

    answers = [caller.client.request(**request_of(operation, caller, item=one)).json() for one in ids]

    foreign, unknown = [answer | {"timestamp": ""} for answer in answers]
    assert foreign == unknown


@names_item
def test_a_thing_that_never_was_is_not_found(operation: Operation, person: Person):
    response = person.client.request(**request_of(operation, person, item=no_item(operation)))

    status, code = code_of(response)
    assert status == 404
    assert (code or "").endswith("_not_found")


@once
@names_item
def test_what_cannot_be_an_id_is_not_found(operation: Operation, person: Person):
    no_ids = NO_NUMBERS if is_numbered(operation) else NO_UUIDS
    requests = {one: request_of(operation, person, item=one) for one in no_ids}

    codes = {one: code_of(person.client.request(**request)) for one, request in requests.items()}

    assert codes == dict.fromkeys(no_ids, (404, "not_found"))


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
