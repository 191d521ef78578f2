"""The errors that the contract has as examples are those that the server sends, word for word."""

from collections.abc import Callable
from datetime import timedelta

import httpx
import pytest

from db.clock import now
from server import token_check
from tests.conftest import Person
from tests.contract_walk import contract_named
from tests.error_examples import error_examples
from tests.todo.test_tasks import tasks_of

EXAMPLES = error_examples(contract_named("todo"))

Scene = tuple[Person, pytest.MonkeyPatch]
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def scene(person: Person, monkeypatch: pytest.MonkeyPatch) -> Scene:
    return person, monkeypatch


def get(scene: Scene, rest: str = "") -> httpx.Response:
    return scene[0].client.get(tasks_of(scene[0]) + rest)


def post(scene: Scene, content: str, **headers: str) -> httpx.Response:
    return scene[0].client.post(tasks_of(scene[0]), content=content, headers=headers)


def without_token(scene: Scene) -> httpx.Response:
    del scene[0].client.headers["Authorization"]
    return get(scene)


def with_an_expired_token(scene: Scene) -> httpx.Response:
    later = now() + timedelta(minutes=15)
    scene[1].setattr(token_check, "now", lambda: later)
    return get(scene)


def with_a_revoked_token(scene: Scene) -> httpx.Response:
    scene[0].client.post("/api/v1/auth/logout")
    return get(scene)


def with_a_broken_server(scene: Scene) -> httpx.Response:
    scene[1].setattr("handlers.todo.tasks.autocommit", None)
    return get(scene)


CAUSES: dict[tuple[str, str], Callable[[Scene], httpx.Response]] = {
    ("BadInput", "member"): lambda scene: get(scene, "?status=done"),
    ("BadInput", "malformed"): lambda scene: post(scene, "{", **JSON),
    ("Unauthenticated", "missing"): without_token,
    ("Unauthenticated", "expired"): with_an_expired_token,
    ("Unauthenticated", "revoked"): with_a_revoked_token,
    ("NotYours", ""): lambda scene: scene[0].client.get("/api/somebody/tasks"),
    ("NotFound", "unknown"): lambda scene: get(scene, f"/{2**63 - 1}"),
    ("NotFound", "noId"): lambda scene: get(scene, "/abc"),
    ("PayloadTooLarge", ""): lambda scene: post(scene, " " * 1_048_577, **JSON),
    ("UnsupportedMediaType", ""): lambda scene: post(scene, "title=x"),
    ("InternalError", ""): with_a_broken_server,
}


def test_every_error_has_a_cause_here():
    assert EXAMPLES.keys() == CAUSES.keys()


@pytest.mark.parametrize("example", CAUSES, ids=" ".join)
def test_an_error_reads_as_its_example(example: tuple[str, str], scene: Scene):
    response = CAUSES[example](scene)

    assert response.json() == EXAMPLES[example]
