"""The operations of the workspace contract, and for each of them a request that it answers with success."""

import re
from collections.abc import Callable
from copy import deepcopy
from operator import attrgetter
from typing import Any, NamedTuple

import httpx
import pytest
from sqlalchemy import func, select

from db.accounts import Account
from db.engine import autocommit
from db.schema import metadata
from server.contracts import CONTRACTS
from tests.conftest import PASSWORD, Person

WORKSPACE = next(contract for contract in CONTRACTS if contract.name == "workspace")
API = WORKSPACE.mount


class Operation(NamedTuple):
    """One operation as its YAML defines it."""

    method: str
    path: str
    definition: dict[str, Any]

    @property
    def id(self) -> str:
        return self.definition["operationId"]

    @property
    def module(self) -> str:
        return f"handlers.workspace.{self.definition['tags'][0]}"

    @property
    def statuses(self) -> set[int]:
        return {int(status) for status in self.definition["responses"]}

    @property
    def success(self) -> int:
        return min(self.statuses)

    @property
    def takes_body(self) -> bool:
        return "requestBody" in self.definition

    @property
    def token(self) -> str | None:
        """The security scheme it asks for."""
        requirements = self.definition.get("security", WORKSPACE.document["security"])
        return next(iter(requirements[0])) if requirements else None

    @property
    def names_item(self) -> bool:
        return "{" in self.path

    @property
    def is_list(self) -> bool:
        return self.id.startswith("list_")


OPERATIONS = [
    Operation(method.upper(), path, definition)
    for path, methods in WORKSPACE.document["paths"].items()
    for method, definition in methods.items()
]


def named(operation_id: str) -> Operation:
    return next(one for one in OPERATIONS if one.id == operation_id)


def for_each(condition: Callable[[Operation], object] = lambda _: True) -> pytest.MarkDecorator:
    """Run a test for each operation that the condition holds for."""
    chosen = [operation for operation in OPERATIONS if condition(operation)]
    return pytest.mark.parametrize("operation", chosen, ids=attrgetter("id"))


def request_of(operation: Operation, person: Person, *, item: object = None) -> dict[str, Any]:
    """Write a request that succeeds for this person; an item that it names is created first, unless one is given."""
    request: dict[str, Any] = {"method": operation.method, "url": API + operation.path}
    if operation.names_item:
        request["url"] = f"{collection_of(operation)}/{create(operation, person)['id'] if item is None else item}"
    if operation.takes_body:
        request["json"] = body_of(operation, person)
    if operation.token is not None:
        request["headers"] = bearer(person.refresh_token if operation.token == "refreshToken" else person.access_token)
    return request


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def collection_of(operation: Operation) -> str:
    return API + re.sub(r"/\{.*", "", operation.path)


def create(operation: Operation, person: Person) -> dict[str, Any]:
    """Create an item of the kind that the operation is about."""
    collection = collection_of(operation)
    creation = next(one for one in OPERATIONS if API + one.path == collection and one.method == "POST")
    return person.client.post(collection, json=examples_of(creation)[0]).json()


def body_of(operation: Operation, person: Person) -> Any:
    match operation.id:
        case "register":
            return {**examples_of(operation)[0], "username": f"{person.username}.twin", "email": f"twin.{person.email}"}
        case "log_in":
            return {"email": person.email, "password": PASSWORD}
    return examples_of(operation)[0]


def examples_of(operation: Operation) -> list[Any]:
    """List copies of the bodies that the contract gives as examples."""
    content = deepcopy(operation.definition["requestBody"]["content"]["application/json"])
    return [one["value"] for one in content.get("examples", {}).values()] or [content["example"]]


def code_of(response: httpx.Response) -> tuple[int, str | None]:
    """Tell an answer's status, and the code of its problem."""
    is_problem = response.headers.get("content-type") == "application/problem+json"
    return response.status_code, response.json()["code"] if is_problem else None


def kept_of(person: Person) -> dict[str, Any]:
    """Read all that the database holds of this person, and how many accounts it holds at all."""
    with autocommit() as connection:
        kept: dict[str, Any] = {"accounts": connection.scalar(select(func.count()).select_from(Account))}
        for table in metadata.sorted_tables:
            owner = table.c.get("account_id", table.c.id if table.name == "accounts" else None)
            if owner is not None:
                kept[f"own {table.name}"] = connection.execute(select(table).where(owner == person.id)).all()
    return kept
