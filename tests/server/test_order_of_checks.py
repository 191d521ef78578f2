"""The order of checks: 404/405 of the route, 401, 413 and 415, bad input, then 403/404 of the object."""

import httpx
import pytest

from server.validation.reading import MOST_BYTES
from tests.conftest import Person, once
from tests.server.conftest import TODOS

pytestmark = once

TEXT = {"Content-Type": "text/plain"}
JSON = {"Content-Type": "application/json"}
TOO_LONG = b"x" * (MOST_BYTES + 1)


@pytest.fixture
def foreign(stranger: httpx.Client) -> str:
    """The path of somebody else's to-do."""
    return f"{TODOS}/{stranger.post(TODOS, json={'title': 'Mine'}).json()['id']}"


def test_the_path_comes_before_the_token(anonymous: httpx.Client):
    response = anonymous.post("/api/v1/nothing", content=TOO_LONG, headers=TEXT)

    assert response.status_code == 404


def test_the_method_comes_before_the_token(anonymous: httpx.Client):
    response = anonymous.patch(TODOS, content=TOO_LONG, headers=TEXT)

    assert response.status_code == 405


@pytest.mark.parametrize("body", [TOO_LONG, b"{", b"{}", b'{"title": "x"}'], ids=["too long", "broken", "bad", "good"])
@pytest.mark.parametrize("headers", [TEXT, JSON], ids=["text", "JSON"])
def test_the_token_comes_before_the_input(anonymous: httpx.Client, body: bytes, headers: dict[str, str]):
    response = anonymous.post(f"{TODOS}?limit=x", content=body, headers=headers)

    assert response.status_code == 401


def test_the_token_comes_before_the_id(anonymous: httpx.Client):
    response = anonymous.get(f"{TODOS}/abc")

    assert response.status_code == 401


def test_the_length_of_the_body_comes_before_its_media_type(visitor: httpx.Client):
    response = visitor.put(f"{TODOS}/abc", content=TOO_LONG, headers=TEXT)

    assert response.status_code == 413


def test_the_media_type_comes_before_what_is_in_the_body(visitor: httpx.Client, foreign: str):
    response = visitor.put(foreign, content=b"{", headers=TEXT)

    assert response.status_code == 415


@pytest.mark.parametrize("body", [b"{", b'{"title": 7}'])
def test_bad_input_comes_before_whose_the_object_is(visitor: httpx.Client, foreign: str, body: bytes):
    response = visitor.put(foreign, content=body, headers=JSON)

    assert response.status_code == 400


@pytest.mark.parametrize("todo_id", ["abc", "9007199254740991"])
def test_bad_input_comes_before_whether_there_is_an_object(visitor: httpx.Client, todo_id: str):
    bad = visitor.put(f"{TODOS}/{todo_id}", json={"title": 7})
    good = visitor.put(f"{TODOS}/{todo_id}", json={"title": "x"})

    assert (bad.status_code, good.status_code) == (400, 404)


def test_with_good_input_somebody_elses_object_is_forbidden(person: Person, foreign: str):
    response = person.client.put(foreign, json={"title": "x"})

    assert response.status_code == 403
