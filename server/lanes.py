"""Lanes: where operations run, so that none of them stops the event loop."""

import asyncio
import os
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from connexion.middleware import ConnexionMiddleware
from sqlalchemy.exc import DBAPIError
from sqlalchemy.util import greenlet_spawn
from starlette.types import Message, Scope

from db.clock import now
from db.sql.constraints import is_deadlock
from db.sql.engine import AT_ONCE, waits_on_loop
from server.answers import Answer, error_answer, refusal_of
from server.bodies import MOST_BYTES
from server.refusals import busy, internal_error, payload_too_large
from server.routes import Operation

READERS = 2
"""Under the GIL more threads take turns more often and answer less (four of them a tenth less)."""

LONGEST_QUEUE = 64
"""How many logins may wait; a quarter of a second each, this is about as long as a client waits."""

MOST_TRIES = 3
"""How often a request is begun that the database breaks off, because it and another one wait for each other."""

Lane = Callable[[Callable[[], Answer]], Awaitable[Answer]]


class Threads:
    """A few threads and the queue before them. An operation crosses into a thread once and its answer back once."""

    def __init__(self, count: int, *, longest_queue: int | None = None) -> None:
        self.executor = ThreadPoolExecutor(count)
        self.longest_queue = longest_queue
        self.waiting = 0

    async def run(self, work: Callable[[], Answer]) -> Answer:
        """Run work in a thread. Raises a `Refusal` (503) when too much waits already."""
        if self.longest_queue is not None and self.waiting >= self.longest_queue:
            raise busy(retry_after=5)
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self.executor, work)
        finally:
            self.waiting -= 1


class Turns:
    """The event loop, in turns: a burst of requests is slow, but none of it fails for want of a connection."""

    def __init__(self, count: int) -> None:
        self.free = asyncio.Semaphore(count)

    async def run(self, work: Callable[[], Answer]) -> Answer:
        """Run work in a greenlet that is put aside while it waits for the database."""
        async with self.free:
            return await greenlet_spawn(work)


class Lanes:
    """The lanes of a server."""

    def __init__(self) -> None:
        on_loop = Turns(AT_ONCE).run if waits_on_loop() else None
        self.reads = on_loop or Threads(READERS).run
        # SQLite has one writer at a time. In one thread they wait for each other without keeping a reader waiting.
        self.writes = on_loop or Threads(1).run
        # bcrypt gets half the cores, so that twenty logins at once leave the others to all else.
        self.passwords = Threads(max(1, (os.cpu_count() or 1) // 2), longest_queue=LONGEST_QUEUE).run

    def lane_of(self, operation: Operation) -> Lane:
        """Say where an operation runs."""
        if operation.hashes_password:
            return self.passwords
        return self.reads if operation.method == "GET" else self.writes


def answer_to(app: ConnexionMiddleware, operation: Operation, scope: Scope, body: bytes | None) -> Answer:
    """Ask a contract's application for its answer, errors included.

    A body of None was too long to be read; whoever asks for it learns so.
    """
    try:
        return trying_anew(partial(_answer, app, scope, body))
    except Exception as error:  # noqa: BLE001 (whatever it is, the client gets an answer in the contract's shape)
        return error_to(operation, scope, error)


def trying_anew(work: Callable[[], Answer]) -> Answer:
    """Do work, and do it again when its transaction fell victim to a deadlock, which left nothing behind."""
    for _ in range(MOST_TRIES - 1):
        try:
            return work()
        except DBAPIError as error:
            if not is_deadlock(error):
                raise
    return work()


def _answer(app: ConnexionMiddleware, scope: Scope, body: bytes | None) -> Answer:
    # The body is here already and the answer is collected, so that no middleware has anything to wait for: the
    # application runs to its end in one step, and security may ask the database without stopping the event loop.
    answer = Answer(500)

    async def receive() -> Message:
        if body is None:
            raise payload_too_large(MOST_BYTES)
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            answer.status, answer.headers = message["status"], message["headers"]
        else:
            answer.body = message["body"]

    try:
        app(scope, receive, send).send(None)
    except StopIteration:
        return answer
    raise RuntimeError("a middleware waited for the event loop")


def error_to(operation: Operation, scope: Scope, error: Exception) -> Answer:
    """Answer an operation's request with an error; one that nobody foresaw goes to the request's line in the log."""
    refusal = refusal_of(error, operation.contract, deleted_account=operation.deleted_account)
    if refusal.status == internal_error().status:
        scope["state"]["error"] = error
    return error_answer(refusal, operation.contract, at=now())
