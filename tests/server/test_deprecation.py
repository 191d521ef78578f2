from collections.abc import Callable

import httpx
import pytest

from server.answers.answers import deprecation_notices
from server.contracts import Contract
from tests.conftest import HANGS_AFTER, once
from tests.server.conftest import served
from tests.server.made_contracts import operation, serving


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


@once
def test_the_answers_of_a_deprecated_operation_carry_the_notices(
    new_contract: Callable[..., Contract], monkeypatch: pytest.MonkeyPatch
):
    words = {"x-deprecated-on": "2027-01-31", "x-sunset-on": "2027-07-31"}
    old = new_contract("old", {"/things": {"get": operation("list_things", security=[], **words)}})

    with served(serving(monkeypatch, old)) as url:
        response = httpx.get(f"{url}/made/things", timeout=HANGS_AFTER)

    assert response.status_code == 200
    assert response.headers["deprecation"] == "@1801353600"
    assert response.headers["sunset"] == "Sat, 31 Jul 2027 00:00:00 GMT"
