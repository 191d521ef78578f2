"""Every operation that the server answers, and for each of them a request that it answers with success."""

from collections.abc import Callable
from copy import deepcopy
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import func, select

from db.accounts.accounts import Account
from db.schema import metadata
from db.sql.engine import autocommit
from server.contracts import Contract
from tests.conftest import PASSWORD, Person
from tests.contract_truth import ROUTES, resolved

NOT_OWNED = {("read_user", "user_id"), ("read_daily_stats", "days")}
"""Parameters of paths that name nobody's thing: whoever is signed in sees a profile's public part."""


class Operation(NamedTuple):
    """One operation as its contract defines it, references resolved."""

    contract: Contract
    method: str
    path: str
    definition: dict[str, Any]

    @property
    def id(self) -> str:
        return self.definition["operationId"]

    @property
    def module(self) -> str:
        return f"handlers.{self.contract.name}.{self.definition['tags'][0]}"

    @property
    def statuses(self) -> set[int]:
        return {int(status) for status in self.definition["responses"]}

    @property
    def success(self) -> int:
        return min(self.statuses)

    @property
    def deleted_account(self) -> int:
        """The status for a sound token whose account is gone."""
        return self.definition.get("x-deleted-account", 401)

    @property
    def schema(self) -> dict[str, Any]:
        """The schema of its body; empty where it takes none."""
        content = self.definition.get("requestBody", {}).get("content", {})
        return content["application/json"]["schema"] if content else {}

    @property
    def members(self) -> list[str]:
        """The members that its body may have; none where it takes no body."""
        return list(self.schema.get("properties", []))

    @property
    def needs_body(self) -> bool:
        return self.definition.get("requestBody", {}).get("required", False)

    @property
    def token(self) -> str | None:
        """The kind of token that it lets nobody in without: access, fresh or refresh."""
        requirements = self.definition.get("security", self.contract.document["security"])
        if not requirements or {} in requirements:
            return None
        return self._schemes[next(iter(requirements[0]))]["x-token"]

    @property
    def path_user(self) -> str | None:
        """The parameter of its path that names the account, which has to be the token's."""
        return next((one["x-path-user"] for one in self._schemes.values() if "x-path-user" in one), None)

    @property
    def _schemes(self) -> dict[str, Any]:
        return self.contract.document["components"]["securitySchemes"]

    @property
    def parameters(self) -> dict[str, dict[str, Any]]:
        """The parameters of its path."""
        return {one["name"]: one for one in self.definition.get("parameters", []) if one["in"] == "path"}

    @property
    def queries(self) -> dict[str, dict[str, Any]]:
        """The schemas of its query's parameters."""
        return {one["name"]: one["schema"] for one in self.definition.get("parameters", []) if one["in"] == "query"}

    @property
    def item(self) -> str | None:
        """The parameter that names a thing of the caller's."""
        others = {self.path_user, *(name for operation, name in NOT_OWNED if operation == self.id)}
        return next((name for name in self.parameters if name not in others), None)

    @property
    def collection(self) -> str:
        """Where things are made of the kind that its path names."""
        return self.path.partition(f"/{{{self.item}}}")[0]


OPERATIONS = [
    Operation(one.contract, one.method, one.template, resolved(one))
    for route in sorted(ROUTES, key=lambda route: route.template)
    for one in route.endpoints.values()
]


def operations_of(name: str) -> list[Operation]:
    """List the operations that a contract answers."""
    return [one for one in OPERATIONS if one.contract.name == name]


def for_each(condition: Callable[[Operation], object] = lambda _: True, *, of: str = "") -> pytest.MarkDecorator:
    """Run a test for each operation that the condition holds for: of one contract, or of all."""
    chosen = [one for one in OPERATIONS if condition(one) and of in {"", one.contract.name}]
    return pytest.mark.parametrize("operation", chosen, ids=lambda one: f"{one.contract.name}-{one.id}")


def named(operation_id: str, contract: str = "workspace") -> Operation:
    return next(one for one in operations_of(contract) if one.id == operation_id)


def request_of(operation: Operation, person: Person, *, item: object = None, example: int = 0) -> dict[str, Any]:
    """Write a request that succeeds for this person; a thing that it names is made first, unless one is given."""
    if operation.id == "read_active_session":
        send(named("create_session", "focusguard"), person)
    values = {name: parameter.get("example") for name, parameter in operation.parameters.items()}
    values |= {"user_id": person.uuid, operation.path_user or "user_id": person.uuid}
    if operation.item is not None:
        values[operation.item] = str(make_item(operation, person) if item is None else item)
    request: dict[str, Any] = {"method": operation.method, "url": operation.path.format(**values)}
    if operation.members:
        request["json"] = body_of(operation, person, example)
    if operation.token is not None:
        request["headers"] = bearer(person.refresh_token if operation.token == "refresh" else person.access_token)
    return request


def send(operation: Operation, person: Person) -> Any:
    """Send a request that succeeds, and read the answer."""
    return person.client.request(**request_of(operation, person)).json()


def make_item(operation: Operation, person: Person) -> Any:
    """Make a thing of the kind that an operation's path names, and return its id."""
    if operation.id == "read_plant_of_session":
        return send(named("create_plant", "focusguard"), person)["session_id"]
    creations = [one for one in OPERATIONS if (one.method, one.path) == ("POST", operation.collection)]
    assert creations, f"no POST {operation.collection}: say here what makes {operation.item}, or that it is NOT_OWNED"
    return send(creations[0], person)["id"]


def no_item(operation: Operation) -> object:
    """Return an id that nothing has."""
    assert operation.item is not None
    return operation.parameters[operation.item]["schema"].get("maximum") or uuid4()


def body_of(operation: Operation, person: Person, example: int) -> dict[str, Any]:
    """Write a body out of an example of the contract's, with what has to be the person's own or new."""
    own = {
        "username": f"{person.username}.twin",
        "email": f"twin.{person.email}",
        "current_password": PASSWORD,
        "refresh_token": person.refresh_token,
    }
    if operation.id == "log_in":
        own = {"username": person.username, "email": person.email, "password": PASSWORD}
    body = {name: own.get(name, value) for name, value in examples_of(operation)[example].items()}
    if operation.id == "create_plant":
        body["session_id"] = send(named("create_session", "focusguard"), person)["id"]
    return body


def examples_of(operation: Operation) -> list[Any]:
    """List copies of the bodies that the contract gives as examples."""
    content = deepcopy(operation.definition["requestBody"]["content"]["application/json"])
    return [one["value"] for one in content.get("examples", {}).values()] or [content["example"]]


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def code_of(response: httpx.Response) -> tuple[int, str | None]:
    """Return an answer's status, and the code of its error, whichever contract's shape that has."""
    return response.status_code, None if response.is_success else code_in(response.json())


def code_in(error: dict[str, Any]) -> str:
    """Return the code of an error, in snake_case."""
    inner = next((error[name] for name in ("error", "detail") if isinstance(error.get(name), dict)), error)
    return str(inner.get("code") or inner["error_code"]).lower()


def kept_of(person: Person) -> dict[str, Any]:
    """Read all that the database holds of this person, and how many accounts it holds at all."""
    with autocommit() as connection:
        kept: dict[str, Any] = {"accounts": connection.scalar(select(func.count()).select_from(Account))}
        for table in metadata.sorted_tables:
            owner = table.c.get("account_id", table.c.id if table.name == "accounts" else None)
            if owner is not None:
                kept[f"own {table.name}"] = connection.execute(select(table).where(owner == person.id)).all()
    return kept
