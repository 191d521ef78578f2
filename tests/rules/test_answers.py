"""What each operation answers when all is well, and when the server fails."""

from collections.abc import Callable

import pytest

from db.errors import Duplicate, NotYours
from language.errors import BadInput, Unparsable
from security.errors import WrongTokenKind
from tests.conftest import Person, once
from tests.faults import fail_inside
from tests.operations import Operation, code_of, examples_of, for_each, kept_of, request_of

ALSO: dict[str, dict[int, set[str]]] = {
    "tasktracker": {
        403: {"create_task", "update_task", "list_tasks"},
        404: {"create_task", "update_task", "list_tasks"},
    },
    "focusguard": {
        403: {"change_password", "create_plant", "refresh"},
        404: {"create_plant", "read_active_session", "read_user"},
        409: {"create_plant", "update_session"},
    },
}
"""What no rule foretells: what a body names and is not there or not theirs, a wrong password, a foreign cookie."""


def foretold_statuses(operation: Operation) -> set[int]:
    """Work out from an operation and its contract's row which statuses it has to document."""
    row, takes_body = operation.contract, bool(operation.members)
    rules = [
        (operation.success, True),
        (row.status_of(BadInput), takes_body or operation.queries or "days" in operation.parameters),
        (row.status_of(Unparsable), takes_body),
        (401, operation.token is not None or operation.id in {"log_in", "refresh"}),
        (403, operation.path_user is not None),
        (row.status_of(NotYours), operation.item is not None),
        (404, operation.item is not None or operation.deleted_account == 404),
        (row.status_of(Duplicate), operation.id in {"register", "update_me"} or "name" in operation.members),
        (413, takes_body),
        (415, takes_body),
        (row.status_of(WrongTokenKind), operation.token == "refresh"),
        (429, operation.id == "log_in" or row.has_quota),
        (500, True),
        (503, True),
    ]
    foretold = {status for status, holds in rules if holds}
    return foretold | {status for status, names in ALSO.get(row.name, {}).items() if operation.id in names}


@for_each()
def test_the_documented_statuses_follow_rules(operation: Operation):
    assert operation.statuses == foretold_statuses(operation)


# Those that need one are tried in `test_a_token_counts_to_the_end_of_its_life`.
@for_each(lambda operation: operation.token is None)
def test_each_operation_that_needs_no_token_succeeds(operation: Operation, person: Person):
    response = person.client.request(**request_of(operation, person))

    assert response.status_code == operation.success


@for_each(lambda operation: operation.members)
def test_every_example_of_a_body_is_taken(operation: Operation, new_person: Callable[[], Person]):
    people = [new_person() for _ in examples_of(operation)]
    requests = [request_of(operation, person, example=number) for number, person in enumerate(people)]

    statuses = {person.client.request(**request).status_code for person, request in zip(people, requests, strict=True)}

    assert statuses == {operation.success}


@once
@for_each(lambda operation: operation.method == "GET")
def test_head_is_answered_like_get_without_the_body(operation: Operation, person: Person):
    request = request_of(operation, person)
    got = person.client.request(**request)

    response = person.client.request(**{**request, "method": "HEAD"})

    assert (response.status_code, response.content) == (200, b"")
    assert response.headers["content-length"] == got.headers["content-length"]


@for_each(lambda operation: operation.method == "DELETE" and operation.item)
def test_what_is_deleted_is_gone(operation: Operation, person: Person):
    request = request_of(operation, person)

    response = person.client.request(**request)

    assert response.status_code == operation.success
    assert person.client.request(**request).status_code == 404
    # Tags of fullstack can only be listed.
    assert person.client.get(request["url"]).status_code in {404, 405}


@once
@for_each()
def test_what_fails_inside_is_told_to_nobody_and_leaves_nothing(
    operation: Operation, person: Person, monkeypatch: pytest.MonkeyPatch
):
    request = request_of(operation, person)
    before = kept_of(person)
    fail_inside(monkeypatch, operation, RuntimeError("secret words for the log alone"))

    response = person.client.request(**request)

    assert code_of(response) == (500, "internal_error")
    assert "secret" not in response.text
    assert kept_of(person) == before
