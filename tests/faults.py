"""Faults of the server's own, which tests put in."""

from collections.abc import Callable
from typing import NoReturn

import pytest

from tests.operations import Operation

STEPS = ("autocommit", "transaction", "logins", "offered_caller", "hash_for_new_account")
"""What handlers begin with."""


def raising(failure: Exception) -> Callable[..., NoReturn]:
    """Make a function that fails, whatever it is called with."""

    def fail(*_: object, **__: object) -> NoReturn:
        raise failure

    return fail


def fail_inside(patch: pytest.MonkeyPatch, operation: Operation, failure: Exception) -> None:
    """Make an operation's handler fail in its first steps."""
    for name in STEPS:
        patch.setattr(f"{operation.module}.{name}", raising(failure), raising=False)
    # A list is read as its answer is written.
    patch.setattr("db.sql.listings.autocommit", raising(failure))
