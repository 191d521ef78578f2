"""Quotas: how many requests a minute an account, or else a client address, may send to a contract that has them."""

import logging
from dataclasses import dataclass
from math import ceil
from time import monotonic, time
from typing import Any

from limits import RateLimitItemPerMinute
from limits.errors import StorageError
from limits.storage import storage_from_string
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from starlette.types import Scope

import clock
from security.errors import InvalidToken
from security.tokens import read_token
from server.answers import Headers
from server.refusals import Refusal
from server.scopes import client_address
from server.token_check import bearer_token

WINDOW_SECONDS = 60

REDIS_SECONDS = 0.25
"""How long a request waits for Redis."""

CONNECTIONS = 16

AWAY_SECONDS = 2
"""How long nobody asks Redis again that did not answer: requests go on without a quota and without waiting."""

WARNING_SECONDS = 60
"""How often the log says so."""

logger = logging.getLogger("quintet")


@dataclass(frozen=True, slots=True)
class Quota:
    """What is left of a minute's requests: below zero for the one that was too many."""

    limit: int
    left: int
    seconds: int
    """In how many seconds the whole quota is there again."""

    def headers(self) -> Headers:
        """Tell it to the client, as draft-ietf-httpapi-ratelimit-headers does."""
        return [
            (b"ratelimit-policy", b'"minute";q=%d;w=%d' % (self.limit, WINDOW_SECONDS)),
            (b"ratelimit", b'"minute";r=%d;t=%d' % (max(0, self.left), self.seconds)),
        ]

    def refuse_excess(self) -> None:
        """Refuse the request that was too many. Raises a `Refusal` (429)."""
        if self.left < 0:
            raise Refusal(
                429,
                "too_many_requests",
                "Too many requests; try again later.",
                headers={"Retry-After": str(self.seconds)},
            )


class Quotas:
    """Counts requests in windows of a minute that begin with the first request.

    In memory it counts for this process alone, in Redis for all processes that share it.
    """

    def __init__(self, per_minute: int, storage_url: str = "memory://") -> None:
        self.item = RateLimitItemPerMinute(per_minute)
        self.pool = _redis_pool(storage_url) if storage_url.startswith("redis") else None
        self.storage: Any = _storage(storage_url, self.pool) if per_minute else None
        self.away_until = self.silent_until = 0.0

    async def take(self, scope: Scope) -> Quota | None:
        """Count a request, and tell what is left; None where nothing is counted."""
        if self.storage is None or monotonic() < self.away_until:
            return None
        key = self.item.key_for(caller_of(scope))
        try:
            count = await self.storage.incr(key, WINDOW_SECONDS)
            resets_at = await self.storage.get_expiry(key)
        except StorageError as error:
            self._note_absence(error)
            return None
        return Quota(self.item.amount, self.item.amount - count, max(1, ceil(resets_at - time())))

    async def close(self) -> None:
        """Hang up on Redis."""
        if self.pool is not None:
            await self.pool.disconnect()

    def _note_absence(self, error: StorageError) -> None:
        self.away_until = monotonic() + AWAY_SECONDS
        if monotonic() >= self.silent_until:
            self.silent_until = monotonic() + WARNING_SECONDS
            kind = type(error.storage_error).__name__
            logger.warning("The storage of the request quotas does not answer (%s); requests go on without.", kind)


def caller_of(scope: Scope) -> str:
    """Name whose quota a request counts against: the account that its access token names, or else the address.

    Nothing is looked up, so that a request that is too many costs next to nothing.
    """
    try:
        token = read_token(bearer_token(scope) or "", at=clock.now())
    except InvalidToken:
        token = None
    if token is None or token.type != "access":
        return f"address/{client_address(scope)}"
    return f"account/{token.account_uuid}"


def _storage(url: str, pool: BlockingConnectionPool | None) -> Any:
    options: Any = {"implementation": "redispy", "connection_pool": pool} if pool else {}
    return storage_from_string(f"async+{url}", wrap_exceptions=True, **options)


def _redis_pool(url: str) -> BlockingConnectionPool:
    # Waiting is worth a quarter of a second and no second try: the request matters more than its count.
    return BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS,
        timeout=REDIS_SECONDS,
        socket_timeout=REDIS_SECONDS,
        socket_connect_timeout=REDIS_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
