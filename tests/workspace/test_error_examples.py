"""The errors that the contract has as examples are those that the server sends, word for word."""

from collections.abc import Callable
from typing import Any, NamedTuple

import httpx
import pytest

from db.accounts import close_account
from db.clock import now
from db.engine import transaction
from security.tokens import access_lifetime
from server import token_check
from server.refusals import busy
from tests.conftest import Person
from tests.contract_walk import contract_named
from tests.operations import bearer, named, request_of
from tests.workspace import API

TODOS = f"{API}/todo/todos"
OPERATION_ON = {
    "todo": "read_todo",
    "achievement": "update_achievement",
    "focusItem": "delete_focus_item",
    "futurePlan": "read_future_plan",
    "impossible": "read_todo",
}


class Scene(NamedTuple):
    """Who and what it takes to make the server send an error."""

    person: Person
    stranger: httpx.Client
    patch: pytest.MonkeyPatch


@pytest.fixture
def scene(person: Person, stranger: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(person, stranger, monkeypatch)


def bad_input(case: str, scene: Scene) -> httpx.Response:
    if case == "parameter":
        return scene.person.client.get(f"{TODOS}?limit=0")
    content = {"member": b'{"title": " "}', "unreadable": b"{"}[case]
    return scene.person.client.post(TODOS, content=content, headers={"Content-Type": "application/json"})


def unauthenticated(case: str, scene: Scene) -> httpx.Response:
    client, tokens = scene.person.client, {"wrongKind": scene.person.refresh_token, "malformed": "x"}
    request = request_of(named("change_password"), scene.person)
    match case:
        case "missing":
            del client.headers["Authorization"], request["headers"]
        case "expired":
            later = now() + access_lifetime()
            scene.patch.setattr(token_check, "now", lambda: later)
        case "revoked":
            client.post(f"{API}/auth/logout")
        case "notFresh":
            renewal = client.post(f"{API}/auth/refresh", headers=bearer(scene.person.refresh_token))
            tokens[case] = renewal.json()["access_token"]
        case "accountDeleted":
            delete_account(scene.person)
            return client.get(TODOS)
    if case in tokens:
        request["headers"] = bearer(tokens[case])
    return client.request(**request)


def delete_account(person: Person) -> None:
    with transaction() as session:
        close_account(session, person.id)


def wrong_credentials(_: str, scene: Scene) -> httpx.Response:
    credentials = {"email": scene.person.email, "password": "wrong"}
    return scene.person.client.post(f"{API}/auth/login", json=credentials)


def not_yours(case: str, scene: Scene) -> httpx.Response:
    request = request_of(named(OPERATION_ON[case]), scene.person)
    del request["headers"]
    return scene.stranger.request(**request)


def not_found(case: str, scene: Scene) -> httpx.Response:
    item = "abc" if case == "impossible" else 2**63 - 1
    return scene.person.client.request(**request_of(named(OPERATION_ON[case]), scene.person, item=item))


def account_deleted(_: str, scene: Scene) -> httpx.Response:
    delete_account(scene.person)
    return scene.person.client.get(f"{API}/auth/me")


def conflict(case: str, scene: Scene) -> httpx.Response:
    request = request_of(named("register"), scene.person)
    request["json"][case] = {"username": scene.person.username, "email": scene.person.email}[case]
    return scene.person.client.request(**request)


def payload_too_large(_: str, scene: Scene) -> httpx.Response:
    return scene.person.client.post(TODOS, json={"title": "x" * 1_048_576})


def unsupported_media_type(_: str, scene: Scene) -> httpx.Response:
    return scene.person.client.post(TODOS, content="title=x")


def wrong_token_kind(_: str, scene: Scene) -> httpx.Response:
    return scene.person.client.post(f"{API}/auth/refresh")


def too_many_requests(case: str, scene: Scene) -> httpx.Response:
    return [wrong_credentials(case, scene) for _ in range(6)][-1]


def internal_error(_: str, scene: Scene) -> httpx.Response:
    scene.patch.setattr("handlers.workspace.todos.list_owned", None)
    return scene.person.client.get(TODOS)


def server_busy(_: str, scene: Scene) -> httpx.Response:
    def refuse(_: str) -> None:
        raise busy(retry_after=5)

    scene.patch.setattr("handlers.workspace.auth.hash_password", refuse)
    return scene.person.client.request(**request_of(named("register"), scene.person))


ASKS: dict[str, Callable[[str, Scene], httpx.Response]] = {
    "BadInput": bad_input,
    "Unauthenticated": unauthenticated,
    "WrongCredentials": wrong_credentials,
    "NotYours": not_yours,
    "NotFound": not_found,
    "AccountDeleted": account_deleted,
    "Conflict": conflict,
    "PayloadTooLarge": payload_too_large,
    "UnsupportedMediaType": unsupported_media_type,
    "WrongTokenKind": wrong_token_kind,
    "TooManyRequests": too_many_requests,
    "InternalError": internal_error,
    "Busy": server_busy,
}
"""How to get each error."""


def error_examples() -> list[Any]:
    examples: list[Any] = []
    for name, response in contract_named("workspace").document["components"]["responses"].items():
        content = response["content"]["application/problem+json"]
        cases = content.get("examples") or {"only": {"value": content["example"]}}
        examples += [pytest.param(name, case, one["value"], id=f"{name}-{case}") for case, one in cases.items()]
    return examples


@pytest.mark.parametrize(("name", "case", "example"), error_examples())
def test_the_server_sends_each_error_that_is_an_example(name: str, case: str, example: object, scene: Scene):
    response = ASKS[name](case, scene)

    assert response.json() == example
