import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import httpx
import pytest
from werkzeug.exceptions import HTTPException

from security.errors import InvalidToken
from security.tokens import Caller
from server import security_schemes
from server.app import Quintet
from server.contracts import Contract
from server.errors.refusals import Refusal
from server.views import ContractError
from tests.conftest import HANGS_AFTER, once
from tests.server.conftest import served
from tests.server.made_contracts import operation, serving

pytestmark = once

PUBLIC: dict[str, Any] = {"security": []}
SECURED: dict[str, Any] = {}


def parameter(name: str, kind: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": kind, "maxLength": 20}}


def optional_body() -> dict[str, Any]:
    return {"requestBody": {"content": {"application/json": {"schema": {"type": "object", "title": "Anything"}}}}}


THING, KIND = parameter("thing_id", "string"), parameter("kind", "string")

# The public templates stand before the secured literals that they overlap: where two routers disagree, the function
# of the one runs under the security of the other (spec-first/connexion#1879).
FIRST: dict[str, Any] = {
    "/things/{thing_id}": {"get": operation("show_thing", THING, **PUBLIC)},
    "/{kind}/latest": {"get": operation("show_latest", KIND, **PUBLIC)},
    "/things/{thing_id}/parts": {"get": operation("list_parts", THING, **PUBLIC)},
    "/things/mine": {"get": operation("show_mine", **SECURED), "post": operation("make_mine", **PUBLIC)},
    "/things/latest": {"put": operation("set_latest", **SECURED)},
    "/things/mine/parts": {"get": operation("list_my_parts", **SECURED)},
    "/things/mine/state": {"patch": operation("toggle_mine", **optional_body(), **PUBLIC)},
}
SECOND: dict[str, Any] = {
    "/things/{name}": {
        "get": operation("show_other", parameter("name", "string"), **PUBLIC),
        "put": operation("change_other", parameter("name", "integer"), **PUBLIC),
    },
    "/{owner}/{list_name}": {
        "delete": operation("clear", parameter("owner", "string"), parameter("list_name", "string"), **PUBLIC)
    },
}

# For each request: the operation that must run with which parameters, or the status of the refusal.
EXPECTED: dict[tuple[str, str], tuple[str, dict[str, Any]] | int] = {
    ("GET", "/things/7"): ("first.show_thing", {"thing_id": "7"}),
    ("GET", "/things/a%2Fb"): ("first.show_thing", {"thing_id": "a/b"}),
    ("GET", "/things/mine"): ("first.show_mine", {}),
    ("GET", "/things/%6Dine"): ("first.show_mine", {}),
    ("GET", "/things/mine%2Fparts"): ("first.show_thing", {"thing_id": "mine/parts"}),
    ("POST", "/things/mine"): ("first.make_mine", {}),
    ("PUT", "/things/mine"): 405,
    ("DELETE", "/things/mine"): 405,
    ("GET", "/things/latest"): 405,
    ("PUT", "/things/latest"): ("first.set_latest", {}),
    ("GET", "/plans/latest"): ("first.show_latest", {"kind": "plans"}),
    ("DELETE", "/plans/latest"): 405,
    ("GET", "/things/7/parts"): ("first.list_parts", {"thing_id": "7"}),
    ("GET", "/things/mine/parts"): ("first.list_my_parts", {}),
    ("PUT", "/things/7"): ("second.change_other", {"name": 7}),
    ("PUT", "/things/seven"): 404,
    ("DELETE", "/things/7"): 405,
    ("DELETE", "/plans/7"): ("second.clear", {"owner": "plans", "list_name": "7"}),
    ("GET", "/plans/7"): 405,
    ("GET", "/things/{}"): ("first.show_thing", {"thing_id": "{}"}),
    ("GET", "/{}/{}"): 405,
    ("GET", "/things"): 404,
    ("GET", "/things//parts"): ("first.list_parts", {"thing_id": ""}),
}
NEED_A_TOKEN = {"first.show_mine", "first.set_latest", "first.list_my_parts"}


def outcome(answer: httpx.Response) -> tuple[str, dict[str, Any]] | int:
    return tuple(answer.json()) if answer.is_success else answer.status_code


@pytest.fixture
def overlapping(new_contract: Callable[..., Contract], monkeypatch: pytest.MonkeyPatch) -> Iterator[httpx.Client]:
    """Serve two contracts on one base path, with as many overlapping paths as there are."""
    with (
        served(serving(monkeypatch, new_contract("first", FIRST), new_contract("second", SECOND))) as url,
        httpx.Client(base_url=f"{url}/made", timeout=HANGS_AFTER) as client,
    ):
        yield client


def test_the_operation_that_was_secured_and_validated_is_the_one_that_runs(
    overlapping: httpx.Client, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(security_schemes, "identify", lambda raw, *_, **__: Caller(1, raw))
    overlapping.headers["Authorization"] = "Bearer good"

    answers = {request: overlapping.request(*request) for request in EXPECTED}

    assert {request: outcome(answer) for request, answer in answers.items()} == EXPECTED


def test_without_a_token_none_of_the_secured_operations_runs(overlapping: httpx.Client):
    answers = {request: overlapping.request(*request) for request in EXPECTED}

    expected = {
        request: 401 if isinstance(ran, tuple) and ran[0] in NEED_A_TOKEN else ran for request, ran in EXPECTED.items()
    }
    assert {request: outcome(answer) for request, answer in answers.items()} == expected


def test_a_token_that_does_not_count_opens_no_overlapping_path(
    overlapping: httpx.Client, monkeypatch: pytest.MonkeyPatch
):
    def refuse(*_: Any, **__: Any) -> None:
        raise InvalidToken("No.")

    monkeypatch.setattr(security_schemes, "identify", refuse)

    response = overlapping.get("/things/mine", headers={"Authorization": "Bearer bad"})

    assert response.status_code == 401
    assert 'error="invalid_token"' in response.headers["www-authenticate"]


def test_flask_by_itself_runs_no_operation(overlapping: httpx.Client, monkeypatch: pytest.MonkeyPatch):
    flask_client = Quintet().app.test_client()

    for (method, path), expected in EXPECTED.items():
        with pytest.raises(HTTPException) as refusal:
            flask_client.open(f"/made{path}", method=method)

        assert refusal.value.code in {404, 405}, expected


def test_a_path_allows_what_any_contract_has_at_it(overlapping: httpx.Client):
    response = overlapping.delete("/things/7")

    assert response.headers["allow"] == "GET, HEAD, PUT"


@pytest.mark.parametrize("headers", [{}, {"Content-Type": "application/json"}])
def test_an_optional_body_may_be_left_out(overlapping: httpx.Client, headers: dict[str, str]):
    response = overlapping.patch("/things/mine/state", headers=headers)

    assert response.json() == ["first.toggle_mine", {"body": {}}]


def test_an_optional_body_that_is_sent_is_read(overlapping: httpx.Client):
    right = overlapping.patch("/things/mine/state", json={"on": True})
    wrong = overlapping.patch("/things/mine/state", json=[True])
    other = overlapping.patch("/things/mine/state", content=b"on", headers={"Content-Type": "text/plain"})

    assert right.json() == ["first.toggle_mine", {"body": {"on": True}}]
    assert (wrong.status_code, other.status_code) == (400, 415)


def test_an_operation_without_a_function_keeps_the_server_from_starting(
    new_contract: Callable[..., Contract], monkeypatch: pytest.MonkeyPatch
):
    contract = new_contract("lacking", {"/things": {"get": operation("list_things")}})
    del vars(sys.modules["handlers.lacking.things"])["list_things"]

    with pytest.raises(ContractError, match=r"openapi/lacking\.yaml asks for handlers\.lacking\.things\.list_things"):
        serving(monkeypatch, contract)


def test_a_handler_that_asks_for_more_than_there_is_keeps_the_server_from_starting(
    new_contract: Callable[..., Contract], monkeypatch: pytest.MonkeyPatch
):
    def list_things(limit: int) -> None:
        pass

    contract = new_contract("asking", {"/things": {"get": operation("list_things")}}, list_things=list_things)

    with pytest.raises(ContractError, match="asks for limit"):
        serving(monkeypatch, contract)


@pytest.mark.parametrize("name", ["user", "token", "body", "client_address"])
def test_no_parameter_may_pass_for_what_the_server_found_out(
    new_contract: Callable[..., Contract], monkeypatch: pytest.MonkeyPatch, name: str
):
    paths = {f"/things/{{{name}}}": {"get": operation("show_thing", parameter(name, "string"))}}

    posing = new_contract("posing", paths)

    with pytest.raises(ContractError, match="pass for what the server found"):
        serving(monkeypatch, posing)


def test_every_refusal_of_an_operation_has_the_shape_of_its_contract(
    new_contract: Callable[..., Contract], monkeypatch: pytest.MonkeyPatch
):
    def other_shape(refusal: Refusal, _at: Any) -> dict[str, Any]:
        return {"oops": refusal.status}

    made = new_contract("shaped", {"/things/{thing_id}": {"get": operation("show_thing", THING)}})
    shaped = replace(made, error=other_shape, media_type="application/json")

    with served(serving(monkeypatch, shaped)) as url, httpx.Client(base_url=url, timeout=HANGS_AFTER) as client:
        answers = [client.get("/made/things/1"), client.get("/made/x"), client.put("/made/things/1")]
        elsewhere = client.get("/x")

    assert [answer.json() for answer in answers] == [{"oops": 401}, {"oops": 404}, {"oops": 405}]
    assert {answer.headers["content-type"] for answer in answers} == {"application/json"}
    assert elsewhere.headers["content-type"] == "application/problem+json"
