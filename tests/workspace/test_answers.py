"""Each answer that the contract states of each operation, given by the running server."""

import httpx
import pytest

from tests.conftest import Person
from tests.workspace.operations import API, OPERATIONS, Operation, code_of, collection_of, for_each, request_of

STATED = {
    "POST /auth/register": {201, 400, 409, 500},
    "POST /auth/login": {200, 400, 401},
    "GET /auth/me": {200, 401, 404},
    "POST /auth/refresh": {200, 401, 422},
    "POST /auth/logout": {200, 401, 500},
    "POST /auth/logout-refresh": {200, 401, 422, 500},
    "POST /auth/change-password": {200, 400, 401, 404, 500},
    "GET /todo/todos": {200, 401},
    "POST /todo/todos": {201, 400, 401, 500},
    "GET /todo/todos/{todo_id}": {200, 401, 403, 404},
    "PUT /todo/todos/{todo_id}": {200, 400, 401, 403, 404, 500},
    "DELETE /todo/todos/{todo_id}": {204, 401, 403, 404, 500},
    "GET /anchor/profile": {200, 401, 404, 500},
    "PUT /anchor/profile": {200, 400, 401, 404, 500},
    "GET /anchor/achievements": {200, 401},
    "POST /anchor/achievements": {201, 400, 401, 500},
    "GET /anchor/achievements/{achievement_id}": {200, 401, 403, 404},
    "PUT /anchor/achievements/{achievement_id}": {200, 400, 401, 403, 404, 500},
    "DELETE /anchor/achievements/{achievement_id}": {204, 401, 403, 404, 500},
    "GET /anchor/current_focus": {200, 401},
    "POST /anchor/current_focus": {201, 400, 401, 500},
    "GET /anchor/current_focus/{focus_id}": {200, 401, 403, 404},
    "PUT /anchor/current_focus/{focus_id}": {200, 400, 401, 403, 404, 500},
    "DELETE /anchor/current_focus/{focus_id}": {204, 401, 403, 404, 500},
    "GET /anchor/future_plans": {200, 401},
    "POST /anchor/future_plans": {201, 400, 401, 500},
    "GET /anchor/future_plans/{plan_id}": {200, 401, 403, 404},
    "PUT /anchor/future_plans/{plan_id}": {200, 400, 401, 403, 404, 500},
    "DELETE /anchor/future_plans/{plan_id}": {204, 401, 403, 404, 500},
}
"""The operations that the contract's text has, and the statuses that it states for each of them."""

ACCOUNT_OPERATIONS = {"read_me", "change_password", "read_profile", "update_profile"}
"""The operations whose text has "404 Not Found: User not found"."""

NO_IDS = ["abc", "0", "-1", "9223372036854775808", "1.5", "1e3", "01", "%20", "1%00", "%FF", "%D9%A1", "9" * 5000]
OTHER_MEDIA_TYPES = [
    "text/plain",
    "application/xml",
    "application/x-www-form-urlencoded",
    "application/json; charset=latin-1",
    "",
]
NO_PAGES = [
    *[("limit", value) for value in ("0", "1001", "ten", "", "1&limit=1")],
    *[("offset", value) for value in ("-1", "2147483648", "1.5", "+1")],
]
NO_OBJECTS = {
    **dict.fromkeys([b"", b"null", b"[]", b'"title"', b"7", b"true"], (400, "bad_input")),
    **dict.fromkeys([b"{", b'{"title"}', b"{}{}", b"NaN", b"\xff", b"\xef\xbb\xbf{}"], (400, "malformed_json")),
    b'{"a": 1, "a": 2}': (400, "malformed_json"),
    b"[" * 100_000: (400, "malformed_json"),
}


def test_the_operations_are_those_of_the_contract():
    operations = {f"{operation.method} {operation.path}" for operation in OPERATIONS}

    assert API == "/api/v1"
    assert operations == STATED.keys()
    assert len(operations) == 29


@for_each()
def test_the_stated_statuses_are_documented_and_all_others_follow_a_rule(operation: Operation):
    rules = {
        operation.success: True,
        400: operation.takes_body or operation.is_list,
        401: operation.token is not None or operation.id == "log_in",
        403: operation.names_item,
        404: operation.names_item or operation.id in ACCOUNT_OPERATIONS,
        409: operation.id == "register",
        413: operation.takes_body,
        415: operation.takes_body,
        422: operation.token == "refreshToken",
        429: operation.id == "log_in",
        500: True,
        503: operation.id in {"register", "log_in", "change_password"},
    }

    statuses = operation.statuses

    assert statuses == {status for status, holds in rules.items() if holds}
    assert statuses >= STATED[f"{operation.method} {operation.path}"]


@for_each()
def test_each_operation_succeeds(operation: Operation, person: Person):
    response = person.client.request(**request_of(operation, person))

    assert response.status_code == operation.success
    assert response.status_code in STATED[f"{operation.method} {operation.path}"]


@for_each(lambda operation: operation.success == 204)
def test_what_is_deleted_is_gone(operation: Operation, person: Person):
    request = request_of(operation, person)

    response = person.client.request(**request)

    assert response.content == b""
    assert person.client.get(request["url"]).status_code == 404
    assert person.client.delete(request["url"]).status_code == 404


@for_each(lambda operation: operation.method == "GET")
def test_head_is_answered_like_get_without_the_body(operation: Operation, person: Person):
    request = request_of(operation, person)
    got = person.client.request(**request)

    response = person.client.request(**{**request, "method": "HEAD"})

    assert response.status_code == 200
    assert response.headers["content-length"] == got.headers["content-length"]
    assert response.content == b""


@for_each(lambda operation: operation.takes_body)
def test_a_body_that_is_no_json_object_is_bad_input(operation: Operation, person: Person):
    request = request_of(operation, person)
    del request["json"]
    request["headers"] = {**request.get("headers", {}), "Content-Type": "application/json"}

    codes = {body: code_of(person.client.request(**request, content=body)) for body in NO_OBJECTS}

    assert codes == NO_OBJECTS


@for_each(lambda operation: operation.is_list)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("limit", "0"),
        ("limit", "1001"),
        ("limit", "ten"),
        ("limit", ""),
        ("offset", "-1"),
        ("offset", "2147483648"),
        ("offset", "1.5"),
        ("offset", "0&offset=0"),
    ],
)
def test_a_page_that_cannot_be_is_bad_input(operation: Operation, name: str, value: str, person: Person):
    response = person.client.get(f"{collection_of(operation)}?{name}={value}")

    assert code_of(response) == (400, "bad_input")
    assert response.json()["errors"][0]["field"] == name


@for_each(lambda operation: operation.token is not None)
def test_who_sends_no_token_is_not_let_in(operation: Operation, person: Person, anonymous: httpx.Client):
    request = request_of(operation, person)
    del request["headers"]

    response = anonymous.request(**request)

    assert code_of(response) == (401, "token_missing")
    assert response.headers["WWW-Authenticate"] == 'Bearer realm="quintet"'


@for_each(lambda operation: operation.token is not None)
def test_the_token_is_asked_for_before_the_input_is_looked_at(
    operation: Operation, person: Person, anonymous: httpx.Client
):
    item = "abc" if operation.names_item else None
    request = {**request_of(operation, person, item=item), "headers": {"Content-Type": "text/plain"}}

    response = anonymous.request(**request)

    assert response.status_code == 401


@for_each(lambda operation: operation.names_item)
def test_an_item_of_somebody_else_is_forbidden(operation: Operation, person: Person, stranger: httpx.Client):
    request = request_of(operation, person)
    del request["headers"]
    before = person.client.get(request["url"]).json()

    response = stranger.request(**request)

    assert code_of(response) == (403, "forbidden")
    assert person.client.get(request["url"]).json() == before


@for_each(lambda operation: operation.names_item)
def test_an_item_that_never_was_is_not_found(operation: Operation, person: Person):
    response = person.client.request(**request_of(operation, person, item=2**63 - 1))

    assert response.status_code == 404
    assert response.json()["code"].endswith("_not_found")


@for_each(lambda operation: operation.names_item)
def test_an_id_that_cannot_be_one_is_not_found(operation: Operation, person: Person):
    requests = {item: request_of(operation, person, item=item) for item in NO_IDS}

    codes = {item: code_of(person.client.request(**request)) for item, request in requests.items()}

    assert codes == dict.fromkeys(NO_IDS, (404, "not_found"))


@for_each(lambda operation: operation.names_item and operation.takes_body)
def test_bad_input_is_told_before_the_item_is_looked_for(operation: Operation, stranger: httpx.Client, person: Person):
    request = {**request_of(operation, person), "json": {"title": 7, "description": 7}}
    del request["headers"]

    response = stranger.request(**request)

    assert response.status_code == 400


@for_each(lambda operation: operation.takes_body)
def test_a_body_of_more_than_1_mib_is_too_large(operation: Operation, person: Person):
    request = request_of(operation, person)
    request["json"] = {**request["json"], "unknown": "x" * 1_048_576}

    response = person.client.request(**request)

    assert code_of(response) == (413, "payload_too_large")


@for_each(lambda operation: operation.takes_body)
def test_a_body_of_another_media_type_is_refused(operation: Operation, person: Person):
    request = request_of(operation, person)
    token = request.pop("headers", {})

    codes = {
        media_type: code_of(person.client.request(**request, headers={**token, "Content-Type": media_type}))
        for media_type in OTHER_MEDIA_TYPES
    }

    assert codes == dict.fromkeys(OTHER_MEDIA_TYPES, (415, "unsupported_media_type"))


@for_each(lambda operation: operation.token == "refreshToken")
def test_an_access_token_in_the_place_of_a_refresh_token_is_of_the_wrong_kind(operation: Operation, person: Person):
    request = request_of(operation, person)
    del request["headers"]

    response = person.client.request(**request)

    assert code_of(response) == (422, "wrong_token_kind")
