"""The table of contracts: all that differs between them, apart from their YAML and their handlers."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from server.error_shapes import JSON, PROBLEM_JSON, ErrorShape, nested_detail, problem

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
        "focusguard",
        base_path="/api",
        error=nested_detail,
        bad_input=422,
        not_yours=403,
        duplicate=409,
        media_type=JSON,
        has_quota=True,
    ),
)
"""In order of precedence: where two contracts have the same operation, the first answers it."""

ELSEWHERE = Contract("elsewhere", base_path="/", error=problem, bad_input=400, not_yours=403, duplicate=409)
"""Paths that belong to no contract answer like the problem documents below /api/v1."""


def contract_at(path: str) -> Contract:
    """Find the contract whose error shape a path has that nothing is served at."""
    below = [one for one in CONTRACTS if path == one.base_path or path.startswith(f"{one.base_path}/")]
    return max(below, key=lambda one: len(one.base_path), default=ELSEWHERE)
