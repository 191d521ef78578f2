"""The table of contracts: all that differs between them, apart from their YAML and their handlers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml
from starlette.types import Scope

from db.errors import AccountGone, Conflict, DomainError, Duplicate, NotFound, NotYours, Unavailable
from language.errors import BadInput, Unparsable, UnwritableText
from security.errors import ForeignOrigin, TooManyAttempts, Unauthenticated, WrongPassword, WrongTokenKind
from server.errors.shapes import (
    JSON,
    PROBLEM_JSON,
    ErrorShape,
    detail_code_timestamp,
    nested,
    nested_detail,
    problem,
)

OPENAPI_FOLDER = Path(__file__).parent.parent / "openapi"

Statuses = Mapping[type[Exception], int]

STATUSES: Statuses = {
    DomainError: 400,
    BadInput: 400,
    Unparsable: 400,
    Unauthenticated: 401,
    WrongTokenKind: 401,
    AccountGone: 401,
    NotYours: 403,
    WrongPassword: 403,
    ForeignOrigin: 403,
    NotFound: 404,
    Duplicate: 409,
    Conflict: 409,
    TooManyAttempts: 429,
    Exception: 500,
    Unavailable: 503,
}
"""What each kind of error is answered with, unless a contract's row says otherwise."""

BAD_INPUT_IS_422: Statuses = {BadInput: 422, DomainError: 422, UnwritableText: 422}


@dataclass(frozen=True)
class Contract:
    """One contract: where it is served, the shape of its errors, and the statuses that differ from `STATUSES`."""

    name: str
    base_path: str
    error: ErrorShape
    media_type: str = PROBLEM_JSON
    statuses: Statuses = field(default_factory=dict, hash=False)
    has_quota: bool = False
    """Whether each account, or else each client address, has so many requests a minute (RATE_LIMIT_PER_MINUTE)."""

    def status_of(self, kind: type[Exception]) -> int:
        """Return the status for a kind of error: that of the nearest of its classes that has one."""
        return next(one[known] for known in kind.__mro__ for one in (self.statuses, STATUSES) if known in one)

    @property
    def path(self) -> Path:
        """The hand-written YAML file."""
        return OPENAPI_FOLDER / f"{self.name}.yaml"

    @cached_property
    def document(self) -> dict[str, Any]:
        """The content of the YAML file, references unresolved."""
        return yaml.load(self.path.read_bytes(), Loader=yaml.CSafeLoader)

    @property
    def mount(self) -> str:
        """Where the paths of the YAML file hang: the URL of its first server."""
        return self.document["servers"][0]["url"]

    @property
    def base_segments(self) -> list[str]:
        """The base path in parts."""
        return segments_of(self.base_path.encode())

    def holds(self, segments: list[str]) -> bool:
        """Check whether a path lies below the base path, a template in which stands for anything."""
        base = self.base_segments
        return len(base) <= len(segments) and all(
            is_template(ours) or ours == theirs for ours, theirs in zip(base, segments, strict=False)
        )


CONTRACTS = (
    Contract("workspace", base_path="/api/v1", error=problem, statuses={WrongTokenKind: 422}),
    Contract(
        "fullstack",
        base_path="/v1",
        error=detail_code_timestamp,
        media_type=JSON,
        statuses={**BAD_INPUT_IS_422, NotYours: 404, Duplicate: 400},
    ),
    Contract("tasktracker", base_path="/api/v1", error=problem, statuses={Duplicate: 400}),
    Contract(
        "focusguard",
        base_path="/api",
        error=nested_detail,
        media_type=JSON,
        statuses=BAD_INPUT_IS_422,
        has_quota=True,
    ),
    Contract("todo", base_path="/api/{user_id}/tasks", error=nested, media_type=JSON, statuses={NotYours: 404}),
)
"""In order of precedence: where two contracts have the same operation, the first answers it."""

ELSEWHERE = Contract("elsewhere", base_path="/", error=problem)
"""Paths that belong to no contract answer like the problem documents below /api/v1."""


def contract_at(raw_path: bytes) -> Contract:
    """Find the contract whose error shape a path has that nothing is served at.

    A base path that names a segment comes before one with a template in its place, then the longest.
    """
    segments = segments_of(raw_path)
    below = [one for one in CONTRACTS if one.holds(segments)]
    return max(below, key=lambda one: [not is_template(part) for part in one.base_segments], default=ELSEWHERE)


def contract_of(scope: Scope) -> Contract:
    """Find the contract of a request: that of its route, or else the one whose base path it lies below."""
    return scope["notes"].contract or contract_at(scope["raw_path"])


def segments_of(raw_path: bytes) -> list[str]:
    """Split a path as it stands in the request line.

    Percent-encoding is undone within the segments, so that an encoded slash stays within its own.
    """
    return [unquote(one) for one in raw_path[1:].decode("latin-1").split("/")]


def is_template(segment: str) -> bool:
    """Check whether a segment of a contract's path stands for any value."""
    return segment.startswith("{")
