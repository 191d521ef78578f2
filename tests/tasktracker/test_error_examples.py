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
from tests.tasktracker.test_tasks import CATEGORIES, TASKS, category_of, create

UNKNOWN = 2**63 - 1
EXAMPLES = error_examples(contract_named("tasktracker"))
OF_AUTH = {"WrongCredentials", "Conflict", "WrongTokenKind", "TooManyRequests", "Busy"}
"""What only the operations answer that workspace has as well."""

Scene = tuple[Person, httpx.Client, pytest.MonkeyPatch]
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def scene(person: Person, stranger: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> Scene:
    return person, stranger, monkeypatch


def without_token(scene: Scene) -> httpx.Response:
    del scene[0].client.headers["Authorization"]
    return scene[0].client.get(TASKS)


def with_an_expired_token(scene: Scene) -> httpx.Response:
    later = now() + timedelta(minutes=15)
    scene[2].setattr(token_check, "now", lambda: later)
    return scene[0].client.get(TASKS)


def with_a_revoked_token(scene: Scene) -> httpx.Response:
    scene[0].client.post("/api/v1/auth/logout")
    return scene[0].client.get(TASKS)


def with_a_taken_name(scene: Scene) -> httpx.Response:
    category_of(scene[0].client)
    return scene[0].client.post(CATEGORIES, json={"name": "Reporting"})


def with_a_broken_server(scene: Scene) -> httpx.Response:
    scene[2].setattr("handlers.tasktracker.tasks.autocommit", None)
    return scene[0].client.get(TASKS)


CAUSES: dict[tuple[str, str], Callable[[Scene], httpx.Response]] = {
    ("BadInput", "badInput"): lambda scene: scene[0].client.post(TASKS, json={"title": " "}),
    ("BadInput", "malformed"): lambda scene: scene[0].client.post(TASKS, content=b"{", headers=JSON),
    ("BadInputOrDuplicate", "badInput"): lambda scene: scene[0].client.post(CATEGORIES, json={"name": " "}),
    ("BadInputOrDuplicate", "duplicate"): with_a_taken_name,
    ("Unauthenticated", "missing"): without_token,
    ("Unauthenticated", "expired"): with_an_expired_token,
    ("Unauthenticated", "revoked"): with_a_revoked_token,
    ("NotYours", "task"): lambda scene: scene[0].client.get(f"{TASKS}/{create(scene[1])['id']}"),
    ("NotYours", "category"): lambda scene: scene[0].client.get(f"{CATEGORIES}/{category_of(scene[1])}"),
    ("NotFound", "task"): lambda scene: scene[0].client.get(f"{TASKS}/{UNKNOWN}"),
    ("NotFound", "category"): lambda scene: scene[0].client.get(f"{CATEGORIES}/{UNKNOWN}"),
    ("NotFound", "noId"): lambda scene: scene[0].client.get(f"{TASKS}/abc"),
    ("PayloadTooLarge", ""): lambda scene: scene[0].client.post(TASKS, json={"title": "x" * 1_048_576}),
    ("UnsupportedMediaType", ""): lambda scene: scene[0].client.post(TASKS, content="title=x"),
    ("InternalError", ""): with_a_broken_server,
}


def test_every_error_has_a_cause_here_or_is_workspaces():
    assert {example for example in EXAMPLES if example[0] not in OF_AUTH} == CAUSES.keys()


@pytest.mark.parametrize("example", CAUSES, ids=" ".join)
def test_an_error_reads_as_its_example(example: tuple[str, str], scene: Scene):
    response = CAUSES[example](scene)

    assert response.json() == EXAMPLES[example]


@pytest.mark.parametrize("example", [one for one in EXAMPLES if one[0] in OF_AUTH], ids=" ".join)
def test_an_error_of_the_common_operations_reads_as_workspace_has_it(example: tuple[str, str]):
    assert EXAMPLES[example] in error_examples(contract_named("workspace")).values()
