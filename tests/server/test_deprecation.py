import asyncio
from typing import Any

import flask
import pytest
from connexion.operations import OpenAPIOperation
from connexion.resolver import Resolver

from server.deprecation import deprecation_notices
from server.scopes import routed
from server.views import View


@pytest.mark.parametrize(
    ("definition", "notices"),
    [
        ({}, []),
        ({"x-deprecated-on": "2023-06-30"}, [(b"deprecation", b"@1688083200")]),
        ({"x-sunset-on": "2018-12-31"}, [(b"sunset", b"Mon, 31 Dec 2018 00:00:00 GMT")]),
    ],
)
def test_the_contract_says_since_when_and_until_when(definition: dict[str, str], notices: list[tuple[bytes, bytes]]):
    headers = deprecation_notices(definition)

    assert headers == notices


def test_the_answers_of_a_deprecated_operation_carry_the_notices():
    definition = {"x-deprecated-on": "2027-01-31", "x-sunset-on": "2027-07-31"}

    headers = dict(headers_of_an_answer(definition))

    assert headers[b"deprecation"] == b"@1801353600"
    assert headers[b"sunset"] == b"Sat, 31 Jul 2027 00:00:00 GMT"


def headers_of_an_answer(definition: dict[str, str]) -> list[tuple[bytes, bytes]]:
    """Ask the view of an operation that is defined so and does nothing."""
    responses = {"200": {"description": "Done."}}
    operation = OpenAPIOperation(
        "get",
        "/old",
        {"operationId": "show", "responses": responses, **definition},
        resolver=Resolver(lambda _name: lambda: {"message": "Done."}),
    )
    scope = routed({"client": ("127.0.0.1", 0)}, mount="/api", operation_id="show", path_params={})
    messages: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("there is no body to read")

    async def send(message: Any) -> None:
        messages.append(message)

    asyncio.run(View(operation, flask.Flask("test"))(scope, receive, send))
    return messages[0]["headers"]
