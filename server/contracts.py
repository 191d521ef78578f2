"""The table of contracts: all that differs between them, apart from their YAML and their handlers."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import yaml

from server.error_shapes import (
    JSON,
    PROBLEM_JSON,
    ErrorShape,
    detail_code_timestamp,
    nested,
    nested_detail,
    problem,
)

OPENAPI_FOLDER = Path(__file__).parent.parent / "openapi"


@dataclass(frozen=True)
class Contract:
    """One contract. `bad_input`, `not_yours`, `duplicate` and so on are the statuses it answers these with."""

    name: str
    base_path: str
    error: ErrorShape
    bad_input: int
    not_yours: int
    duplicate: int
    media_type: str = PROBLEM_JSON
    unparsable: int = 400
    wrong_token_kind: int = 401
    has_quota: bool = False
    """Whether each account, or else each client address, has so many requests a minute (RATE_LIMIT_PER_MINUTE)."""

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
        return self.base_path[1:].split("/")

    def holds(self, segments: list[str]) -> bool:
        """Tell whether a path lies below the base path, a template in which stands for anything."""
        base = self.base_segments
        return len(base) <= len(segments) and all(
            is_template(ours) or ours == theirs for ours, theirs in zip(base, segments, strict=False)
        )


CONTRACTS = (
    Contract(
        "workspace",
        base_path="/api/v1",
        error=problem,
        bad_input=400,
        not_yours=403,
        duplicate=409,
        wrong_token_kind=422,
    ),
    Contract(
        "fullstack",
        base_path="/v1",
        error=detail_code_timestamp,
        bad_input=422,
        not_yours=404,
        duplicate=400,
        media_type=JSON,
    ),
    Contract("tasktracker", base_path="/api/v1", error=problem, bad_input=400, not_yours=403, duplicate=400),
    Contract(
        "focusguard",
        base_path="/api",
        error=nested_detail,
        bad_input=422,
        not_yours=403,
        duplicate=409,
        media_type=JSON,
        has_quota=True,
    ),
    Contract(
        "todo",
        base_path="/api/{user_id}/tasks",
        error=nested,
        bad_input=400,
        not_yours=404,
        duplicate=409,
        media_type=JSON,
    ),
)
"""In order of precedence: where two contracts have the same operation, the first answers it."""

ELSEWHERE = Contract("elsewhere", base_path="/", error=problem, bad_input=400, not_yours=403, duplicate=409)
"""Paths that belong to no contract answer like the problem documents below /api/v1."""


def contract_at(raw_path: bytes) -> Contract:
    """Find the contract whose error shape a path has that nothing is served at.

    A base path that names a segment comes before one with a template in its place, then the longest.
    """
    segments = segments_of(raw_path)
    below = [one for one in CONTRACTS if one.holds(segments)]
    return max(below, key=lambda one: [not is_template(part) for part in one.base_segments], default=ELSEWHERE)


def segments_of(raw_path: bytes) -> list[str]:
    """Split a path as it stands in the request line.

    Percent-encoding is undone within the segments, so that an encoded slash stays within its own.
    """
    return [unquote(one) for one in raw_path.decode("latin-1")[1:].split("/")]


def is_template(segment: str) -> bool:
    """Tell whether a segment of a contract's path stands for any value."""
    return segment.startswith("{")
