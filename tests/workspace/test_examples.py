"""A fresh server takes all requests that the contract has as examples, one after the other."""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from sqlalchemy import make_url

from tests.conftest import HANGS_AFTER, SECRET, once
from tests.contract_truth import hold_to_contract
from tests.operations import Operation, bearer, examples_of, operations_of

ROOT = Path(__file__).parent.parent.parent
ORDER = {"register": 0, "log_in": 1}
"""What has to come before all else."""

REQUESTS = [
    (operation, example)
    for operation in sorted(operations_of("workspace"), key=lambda one: ORDER.get(one.id, len(ORDER)))
    if operation.members
    for example in examples_of(operation)
]


@pytest.fixture
def fresh_database_url(database_url: str, tmp_path: Path) -> str:
    """Make a database in which nobody has been yet."""
    if database_url.startswith("sqlite"):
        return f"sqlite:///{tmp_path}/fresh.db"
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE DATABASE fresh")
    return make_url(database_url).set(database="fresh").render_as_string(hide_password=False)


@pytest.fixture
def fresh_server(fresh_database_url: str) -> Iterator[str]:
    """Start the server as people do, in a process of its own, and return its URL."""
    settings = {"HOST": "127.0.0.1", "PORT": "0", "DATABASE_URL": fresh_database_url, "JWT_SECRET_KEY": SECRET}
    command = [sys.executable, "-W", "ignore", "app.py"]
    with subprocess.Popen(command, cwd=ROOT, env=os.environ | settings, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield process.stdout.readline().strip().rpartition(" ")[2]
        process.terminate()


def linked(operation: Operation, answer: Any) -> dict[str, dict[str, Any]]:
    """Follow the links of an answer: the path parameters that it gives to other operations."""
    links = operation.definition["responses"][str(operation.success)].get("links", {})
    return {
        link["operationId"]: {
            name: answer[expression.removeprefix("$response.body#/")]
            for name, expression in link.get("parameters", {}).items()
        }
        for link in links.values()
    }


@once
def test_a_fresh_server_takes_every_request_that_is_an_example(fresh_server: str):
    parameters: dict[str, dict[str, Any]] = {}
    refused: list[tuple[str, int]] = []

    with httpx.Client(
        base_url=fresh_server, event_hooks={"response": [hold_to_contract]}, timeout=HANGS_AFTER
    ) as client:
        for operation, example in REQUESTS:
            path = operation.path.format(**parameters.get(operation.id, {}))
            response = client.request(operation.method, path, json=example)
            if response.status_code != operation.success:
                refused.append((operation.id, response.status_code))
            parameters |= linked(operation, response.json())
            if operation.id == "log_in":
                client.headers.update(bearer(response.json()["access_token"]))

    assert refused == []
    assert parameters.keys() >= {"read_todo", "update_achievement", "delete_focus_item", "update_future_plan"}
