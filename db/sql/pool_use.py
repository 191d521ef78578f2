"""How many connections to the database this process has, and how many of them are at work."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sqlalchemy import Engine

from db.sql.engine import _Engines


class PoolUse(NamedTuple):
    """The connections of one engine."""

    engine: str
    open: int
    in_use: int
    most: int
    """How many it may open."""


def pool_uses() -> Iterator[PoolUse]:
    """Yield each engine's connections. Those that the event loop keeps out of its pool are open, but not in use."""
    engines = {name: one for name, one in vars(_Engines).items() if isinstance(one, Engine)}
    for name, engine in engines.items():
        pool: Any = engine.pool
        kept = len(_Engines.kept) if engine is _Engines.on_loop else 0
        taken = pool.checkedout()
        yield PoolUse(name, pool.checkedin() + taken, max(0, taken - kept), pool.size() + pool._max_overflow)
