"""Errors have the three members that the text shows, whatever they are about."""

import re
from uuid import uuid4

import httpx
import pytest

from tests.conftest import once

INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
JSON = {"Content-Type": "application/json"}


def error_of(response: httpx.Response) -> tuple[int, str]:
    """Read an error that has exactly the three members of the text."""
    error = response.json()
    assert response.headers["content-type"] == "application/json"
    assert list(error) == ["detail", "error_code", "timestamp"]
    assert INSTANT.fullmatch(error["timestamp"])
    return response.status_code, error["error_code"]


@once
@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/nothing", "/v1/tasks/", "/v1/tags/x/y", "/v1/auth"])
def test_an_unknown_path_is_404_in_the_shape_of_the_contract(anonymous: httpx.Client, path: str):
    response = anonymous.get(path)

    assert error_of(response) == (404, "NOT_FOUND")


@once
def test_bad_input_names_the_members_and_repeats_nothing(client: httpx.Client):
    body = {"title": "", "priority": "Xyzzy", "due_date": "Xyzzy"}

    response = client.post("/v1/tasks", json=body)

    assert error_of(response) == (422, "BAD_INPUT")
    assert all(member in response.json()["detail"] for member in body)
    assert "Xyzzy" not in response.text


@once
def test_checks_come_in_their_order(anonymous: httpx.Client, client: httpx.Client):
    # Method, token, media type, input, object: each request is wrong in all that comes after as well.
    nothing = f"/v1/tags/{uuid4()}"

    statuses = [
        anonymous.post(nothing, content=b"{").status_code,
        anonymous.put(nothing, content=b"{").status_code,
        client.put(nothing, content=b"{").status_code,
        client.put(nothing, content=b"{", headers=JSON).status_code,
        client.put(nothing, json={"name": 7}).status_code,
        client.put(nothing, json={"name": "x"}).status_code,
    ]

    assert statuses == [405, 401, 415, 400, 422, 404]
