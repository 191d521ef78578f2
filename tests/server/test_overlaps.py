"""Which contract answers where the paths of several meet: for each path of each contract and each method.

The router decides it, so all paths are put to the router. Over HTTP goes one path of each kind.
"""

from collections.abc import Iterator
from itertools import product
from typing import Any

import httpx
import pytest

import clock
from server.contracts import CONTRACTS, ELSEWHERE, Contract, contract_at
from server.errors.refusals import Refusal
from tests.conftest import once
from tests.contract_truth import ROUTES
from tests.contract_walk import contract_named, specification

pytestmark = once

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
UUID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
NOWHERE = "There is nothing at this path."

TEMPLATES = [(contract, contract.mount + path) for contract in CONTRACTS for path in contract.document["paths"]]


def segments(path: str) -> list[str]:
    return path[1:].split("/")


def values_at(depth: int) -> set[str]:
    """What a template may stand for: an id of either kind, and each word that another path has in its place."""
    words = {segments(path)[depth] for _, path in TEMPLATES if len(segments(path)) > depth}
    return {"1", UUID} | {word for word in words if not word.startswith("{")}


def paths_of(template: str) -> Iterator[str]:
    """Fill a template with all that its parameters may stand for."""
    choices = [
        sorted(values_at(depth)) if segment.startswith("{") else [segment]
        for depth, segment in enumerate(segments(template))
    ]
    yield from ("/" + "/".join(chosen) for chosen in product(*choices))


PATHS = sorted({path for _, template in TEMPLATES for path in paths_of(template)})


def precedence(template: str) -> list[bool]:
    """Order templates that mean one path: the first that names a segment comes before those with a template there."""
    return [not segment.startswith("{") for segment in segments(template)]


def means(template: str, path: str) -> bool:
    ours, theirs = segments(template), segments(path)
    return len(ours) == len(theirs) and all(
        one.startswith("{") or one == other for one, other in zip(ours, theirs, strict=True)
    )


def meant_by(path: str) -> list[tuple[Contract, str]]:
    """List the contracts and templates that mean a path; below a base path without a template nobody else is asked."""
    owner = contract_at(path.encode())
    meant = [(contract, template) for contract, template in TEMPLATES if means(template, path)]
    return [one for one in meant if "{" in owner.base_path or one[1].startswith(f"{owner.base_path}/")]


def first_meant_by(path: str) -> list[tuple[Contract, str]]:
    """List those of them that come first, in the order of the contracts."""
    meant = meant_by(path)
    first = max((precedence(template) for _, template in meant), default=[])
    return [one for one in meant if precedence(one[1]) == first]


def answering(path: str) -> dict[str, tuple[Contract, str]]:
    """Find from the contracts alone which of them, with which template, answers which method of a path."""
    methods: dict[str, tuple[Contract, str]] = {}
    for contract, template in first_meant_by(path):
        item = contract.document["paths"][template.removeprefix(contract.mount)]
        methods = {method.upper(): (contract, template) for method in item} | methods
    return methods | ({"HEAD": methods["GET"]} if "GET" in methods else {})


def owner_of(path: str) -> Contract:
    """Find the contract whose errors a path has: the first that answers there, or else the one it lies below."""
    return next((contract for contract, _ in first_meant_by(path)), contract_at(path.encode()))


def one_of_each_kind() -> list[str]:
    """Choose a path for each set of templates that mean the same path."""
    kinds = {(contract_at(path.encode()).name, *(template for _, template in meant_by(path))): path for path in PATHS}
    return sorted(kinds.values())


def is_shaped_by(response: httpx.Response, contract: Contract) -> bool:
    """Check whether an error has the shape of a contract."""
    shape = contract.error(Refusal(response.status_code, "some_code", "Some message."), clock.now())
    body = response.json()
    return (
        response.headers["content-type"] == contract.media_type
        and body.keys() - {"errors"} == shape.keys()
        and isinstance(body.get("error"), dict) == isinstance(shape.get("error"), dict)
    )


def found_at(path: str) -> tuple[dict[str, tuple[Contract, str]], Contract]:
    """Ask the router which contract, with which template, answers which method of a path, and whose errors it has."""
    match = ROUTES.find(path.encode())
    if match is None:
        return {}, contract_at(path.encode())
    endpoints = {method: match[0].endpoints[method.replace("HEAD", "GET")] for method in match[0].allowed()}
    return {method: (one.contract, one.template) for method, one in endpoints.items()}, match[0].contract


def test_the_router_finds_the_operation_that_comes_first_at_every_path():
    found = {path: found_at(path) for path in PATHS}

    assert len(PATHS) > 500
    assert found == {path: (answering(path), owner_of(path)) for path in PATHS}


@pytest.mark.parametrize("path", one_of_each_kind())
def test_the_contract_that_must_answer_answers(path: str, anonymous: httpx.Client):
    expected = answering(path)

    answers = {method: anonymous.request(method, path) for method in METHODS}

    for method, answer in answers.items():
        contract = expected[method][0] if method in expected else owner_of(path)
        assert answer.status_code < 400 or method == "HEAD" or is_shaped_by(answer, contract)
        if method in expected:
            assert answer.status_code not in {405, 500}
            assert NOWHERE not in answer.text
        else:
            assert answer.status_code == (405 if expected else 404)
            assert answer.headers.get("allow", "") == ", ".join(sorted(expected))


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/api/v1", "workspace"),
        ("/api/v1/nothing", "workspace"),
        ("/api/v1/tasks/", "workspace"),
        ("/api/v1/tasks/1/complete", "workspace"),
        ("/api/v1/tasks/1/complete/now", "workspace"),
        ("/%61pi/v1/nothing", "workspace"),
        ("/api/1/tasks/", "todo"),
        ("/api/1/tasks/1/", "todo"),
        ("/api/1/tasks/1/complete/now", "todo"),
        (f"/api/{UUID}/tasks/1/2", "todo"),
        ("/api/a%2Fb/tasks/1/2", "todo"),
        ("/api//tasks/1/2", "todo"),
        ("/api/%FF%00/tasks/1/2", "todo"),
        ("/api/users/tasks/1/2", "todo"),
    ],
)
def test_what_is_served_nowhere_has_the_shape_of_the_base_path_it_lies_below(
    path: str, name: str, anonymous: httpx.Client
):
    response = anonymous.get(path)

    assert response.status_code == 404
    assert NOWHERE in response.text
    assert contract_at(path.encode()).name == name
    assert is_shaped_by(response, contract_at(path.encode()))


@pytest.mark.parametrize("path", ["/nothing", "/api2/1/tasks", "/apis", "/v10", "/", "//"])
def test_what_lies_below_no_base_path_has_the_common_shape(path: str):
    assert contract_at(path.encode()) is ELSEWHERE


def test_tasks_of_the_first_version_are_the_tasktrackers(client: httpx.Client):
    listed = client.get("/api/v1/tasks")
    patched = client.patch("/api/v1/tasks")

    assert listed.json() == {"tasks": [], "total": 0, "limit": 20, "offset": 0}
    assert patched.status_code == 405
    assert patched.headers["allow"] == "GET, HEAD, POST"
    assert patched.headers["content-type"] == "application/problem+json"


@pytest.mark.parametrize("path", ["/api/v1/tasks/1/complete", "/api/v0/tasks/1/complete"])
def test_a_version_is_nobodys_id(path: str, client: httpx.Client):
    response = client.patch(path)

    assert response.status_code == (404 if "v1" in path else 403)


@pytest.mark.parametrize("operation", ["register", "login", "refresh", "logout"])
def test_the_two_contracts_describe_their_common_operations_alike(operation: str):
    workspace, tasktracker = (
        specification(contract_named(name))["paths"][f"/auth/{operation}"]["post"]
        for name in ("workspace", "tasktracker")
    )

    assert said_by(tasktracker) == said_by(workspace)


def said_by(definition: Any) -> Any:
    """Return a definition without its prose."""
    if isinstance(definition, dict):
        words = {"description", "example", "examples", "links"}
        return {name: said_by(member) for name, member in definition.items() if name not in words}
    return [said_by(member) for member in definition] if isinstance(definition, list) else definition


def test_common_operations_are_built_once():
    built = ROUTES.document_of(contract_named("tasktracker"))["paths"]

    assert {path for path, item in built.items() if not item} == {
        f"/auth/{operation}" for operation in ("register", "login", "refresh", "logout")
    }
    assert sum(len(item) for item in built.values()) == 10
