"""Quotas: how many requests a minute an account, or else a client address, may send to a contract that has them."""

import logging
from datetime import datetime
from importlib import import_module
from math import ceil
from typing import Any, NamedTuple

from limits import RateLimitItemPerMinute
from limits.storage import storage_from_string

from security.errors import InvalidToken
from security.shared_counts import SharedCounts
from security.tokens import read_token

WINDOW_SECONDS = 60

REDIS_SECONDS = 0.25
"""How long a request waits for Redis."""

CONNECTIONS = 16

AWAY_SECONDS = 2
"""How long Redis is not asked again when it did not answer: requests go on without a quota and without waiting."""

WARNING_SECONDS = 60
"""How often the log says so."""

logger = logging.getLogger("quintet")


class Quota(NamedTuple):
    """What is left of a minute's requests: below zero for the one that was too many."""

    limit: int
    left: int
    seconds: int
    """After how many seconds the whole quota is there again for sure."""


class Quotas:
    """Counts requests in windows of a minute that begin with the first request.

    In memory it counts for this process alone, in shared counts for the workers that have them in common, in Redis
    for all processes that ask it.
    """

    def __init__(self, per_minute: int, storage_url: str = "memory://", shared: SharedCounts | None = None) -> None:
        self.item = RateLimitItemPerMinute(per_minute)
        self.pool = _redis_pool(storage_url) if storage_url.startswith("redis") else None
        self.storage: Any = _storage(storage_url, self.pool) if per_minute else None
        self.shared = None if self.pool else shared
        self.away_until = self.silent_until = 0.0

    async def take(self, caller: str, *, at: datetime) -> Quota | None:
        """Count a request and return what is left; None where nothing is counted."""
        seconds = at.timestamp()
        if self.storage is None or seconds < self.away_until:
            return None
        if self.shared is not None:
            count, end = self.shared.count(caller, at=seconds, window=WINDOW_SECONDS)
            return Quota(self.item.amount, self.item.amount - count, min(WINDOW_SECONDS, max(1, ceil(end - seconds))))
        key = self.item.key_for(caller)
        try:
            count = await self.storage.incr(key, WINDOW_SECONDS)
            left = WINDOW_SECONDS if count == 1 else await self._seconds_left(key, seconds)
        except self.storage.base_exceptions as error:
            self._note_absence(error, seconds)
            return None
        return Quota(self.item.amount, self.item.amount - count, max(1, left))

    async def close(self) -> None:
        """Hang up on Redis."""
        if self.pool is not None:
            await self.pool.disconnect()

    async def _seconds_left(self, key: str, now: float) -> int:
        if self.pool is None:
            return ceil(await self.storage.get_expiry(key) - now)
        # The library asks for whole seconds, which Redis rounds. In the last of its milliseconds a key is still there.
        bridge = self.storage.bridge
        return await bridge.get_connection().pttl(bridge.prefixed_key(key)) // 1000 + 1

    def _note_absence(self, error: Exception, seconds: float) -> None:
        self.away_until = seconds + AWAY_SECONDS
        if seconds >= self.silent_until:
            self.silent_until = seconds + WARNING_SECONDS
            kind = type(error).__name__
            logger.warning("The storage of the request quotas does not answer (%s); requests go on without.", kind)


def caller_by(token: str | None, client_address: str, *, at: datetime) -> str:
    """Name whose quota a request counts against: the account that its access token names, or else the address.

    Nothing is looked up, so that a request that is too many costs next to nothing.
    """
    try:
        read = read_token(token or "", at=at)
    except InvalidToken:
        read = None
    return f"account/{read.account_uuid}" if read and read.type == "access" else f"address/{client_address}"


def _storage(url: str, pool: Any | None) -> Any:
    options: Any = {"implementation": "redispy", "connection_pool": pool} if pool else {}
    return storage_from_string(f"async+{url}", **options)


def _redis_pool(url: str) -> Any:
    # Few servers have a Redis, and importing what talks to it takes an eighth of a second.
    redis, retries, backoff = map(import_module, ("redis.asyncio", "redis.asyncio.retry", "redis.backoff"))
    # Waiting is worth a quarter of a second and no second try: the request matters more than its count.
    return redis.BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS,
        timeout=REDIS_SECONDS,
        socket_timeout=REDIS_SECONDS,
        socket_connect_timeout=REDIS_SECONDS,
        retry=retries.Retry(backoff.NoBackoff(), 0),
    )
