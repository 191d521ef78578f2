"""Who asks: the places where operations take a token, and the tokens that no operation takes."""

from datetime import timedelta
from typing import Any, NamedTuple
from uuid import UUID, uuid4

import jwt
import pytest

import clock
from db.accounts.logins import Login, open_login, revoke_token
from db.sql.engine import transaction
from language.errors import BadInput
from security.errors import WrongTokenKind
from security.tokens import key_id, refresh_lifetime
from tests.conftest import ORIGIN, SECRET, Person
from tests.operations import OPERATIONS, Operation, bearer

BODY_MEMBER = "refresh_token"


class Door(NamedTuple):
    """One place where an operation takes a token: the bearer header, a cookie, or the body."""

    operation: Operation
    place: str
    kind: str
    name: str
    """What the cookie or the member of the body is called."""

    def __str__(self) -> str:
        return f"{self.operation.contract.name}-{self.operation.id}-{self.place}"

    def key_of(self, person: Person) -> str:
        """Return the token of a person that opens it."""
        return person.refresh_token if self.kind == "refresh" else person.access_token

    def parts(self, request: dict[str, Any], token: str | None) -> dict[str, Any]:
        """Put a token into a request, here and nowhere else; None leaves it out."""
        parts = {name: value for name, value in request.items() if name not in {"headers", "json"}}
        if "json" in request:
            parts["json"] = {name: value for name, value in request["json"].items() if name != BODY_MEMBER}
        if token is None:
            return parts
        if self.place == "body":
            parts["json"][self.name] = token
        else:
            cookie = {"Cookie": f"{self.name}={token}", "Origin": ORIGIN}
            parts["headers"] = cookie if self.place == "cookie" else bearer(token)
        return parts


def doors_of(operation: Operation) -> list[Door]:
    """List where an operation takes a token, by its contract."""
    document = operation.contract.document
    schemes = document["components"]["securitySchemes"]
    asked = [schemes[name] for one in operation.definition.get("security", document["security"]) for name in one]
    doors = [
        Door(operation, "cookie" if one["type"] == "apiKey" else "header", one["x-token"], one.get("name", ""))
        for one in asked
    ]
    in_body = [Door(operation, "body", "refresh", BODY_MEMBER)] if BODY_MEMBER in operation.members else []
    return doors + in_body


DOORS = [door for operation in OPERATIONS for door in doors_of(operation)]

for_each_door = pytest.mark.parametrize("door", DOORS, ids=str)

Answer = tuple[int, str]


def refused_tokens(door: Door, person: Person, gone: Person) -> dict[str, tuple[str | None, Answer]]:
    """Make a token of each kind that does not count here, and say what it is answered with.

    `gone` is somebody whose account is deleted.
    """
    good = door.key_of(person)
    wrong_kind = person.access_token if door.kind == "refresh" else person.refresh_token
    is_needed = door.place == "body" and door.operation.needs_body
    refused_kind = door.operation.contract.status_of(WrongTokenKind) if door.kind == "refresh" else 401
    bad_input = door.operation.contract.status_of(BadInput)
    return {
        "none": (None, (bad_input, "bad_input") if is_needed else (401, "token_missing")),
        "expired": (reissued(good, exp=int(clock.now().timestamp())), (401, "token_expired")),
        "revoked": (revoked(good), (401, "token_revoked")),
        "of an ended login": (of_ended_login(good, person), (401, "token_revoked")),
        "of the other kind": (wrong_kind, (refused_kind, "wrong_token_kind")),
        "of a deleted account": (door.key_of(gone), (door.operation.deleted_account, "account_not_found")),
    }


def reissued(token: str, **claims: object) -> str:
    """Sign a token like another one, but for its `jti` and for these claims."""
    own = claims_in(token) | {"jti": str(uuid4())} | claims
    return jwt.encode(own, SECRET, "HS256", {"kid": key_id(SECRET)})


def claims_in(token: str) -> dict[str, Any]:
    """Read the claims of a token, whoever signed it."""
    return jwt.decode(token, options={"verify_signature": False})


def revoked(token: str) -> str:
    """Make a token that was revoked by itself."""
    other = reissued(token)
    with transaction() as session:
        expires_at = clock.now() + timedelta(hours=1)
        revoke_token(session, jti=UUID(claims_in(other)["jti"]), expires_at=expires_at, at=clock.now())
    return other


def of_ended_login(token: str, person: Person) -> str:
    """Make a token of another login of this person, which has ended."""
    return reissued(token, sid=str(another_login(person, is_ended=True)))


def another_login(person: Person, *, is_ended: bool) -> UUID:
    """Open one more login."""
    with transaction() as session:
        login: Login = open_login(
            session, account_id=person.id, at=clock.now(), expires_at=clock.now() + refresh_lifetime()
        )
        if is_ended:
            login.end(clock.now())
    return login.id
