"""When a token counts, over all operations that need one. When not, test_access.py and test_forgeries.py try."""

from datetime import timedelta

import httpx
import pytest

from tests.conftest import Person, once
from tests.operations import Operation, bearer, code_of, for_each, request_of
from tests.rules.causes import let_pass, renewed_token

LIFETIMES = {"access": timedelta(minutes=15), "fresh": timedelta(minutes=15), "refresh": timedelta(days=7)}

needs_token = for_each(lambda operation: operation.token)
needs_access_token = for_each(lambda operation: operation.token in {"access", "fresh"})


@once
@needs_token
def test_the_token_is_asked_for_before_the_input_is_looked_at(
    operation: Operation, person: Person, anonymous: httpx.Client
):
    request = request_of(operation, person, item="abc")
    request["headers"] = {"Content-Type": "text/plain"}

    response = anonymous.request(**request)

    assert response.status_code == 401


@needs_token
def test_a_token_counts_to_the_end_of_its_life(operation: Operation, person: Person, monkeypatch: pytest.MonkeyPatch):
    request = request_of(operation, person)
    let_pass(monkeypatch, LIFETIMES[operation.token or ""] - timedelta(seconds=10))

    response = person.client.request(**request)

    assert response.status_code == operation.success


@once
@needs_access_token
def test_only_what_asks_for_a_fresh_token_refuses_a_renewed_one(operation: Operation, person: Person):
    request = {**request_of(operation, person), "headers": bearer(renewed_token(person))}

    response = person.client.request(**request)

    needs_fresh = operation.token == "fresh"
    assert code_of(response) == ((401, "token_not_fresh") if needs_fresh else (operation.success, None))
