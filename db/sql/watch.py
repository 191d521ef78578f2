"""The watch over PostgreSQL connections in use: a database that hangs keeps nobody longer than `BUDGET_SECONDS`.

`statement_timeout` ends what takes PostgreSQL too long. A server that is stopped, or gone without a word, heeds no
timeout, nor the request to cancel that drivers send over a second connection. So a thread looks at the connections in
use, and hangs up those that have been waiting for too long.
"""

import socket
from contextlib import suppress
from functools import partial
from os import dup
from threading import Lock, Thread
from time import monotonic, sleep
from typing import Any
from weakref import WeakSet

import asyncpg
import psycopg
from psycopg.pq import TransactionStatus

BUDGET_SECONDS = 1.7
"""How long a request may have the database at a time: so long that its answer is there within two seconds."""

STATEMENT_TIMEOUT_MILLISECONDS = 1_500
"""How long PostgreSQL works on one statement: shorter, so that a slow statement does not pass for a hanging server."""

CONNECT_TIMEOUT_SECONDS = 1.5

REPLICA_SECONDS = 0.5
"""How long a replica may have for what the primary can answer too; both together take less than two seconds."""

SILENT_FOR_SECONDS = 1
"""How long nobody asks a database that hangs; who asks next finds out whether it still does."""

TICK_SECONDS = 0.05

in_use: dict[Any, float] = {}
"""The drivers' connections that a request has, and what holds the place of one being opened, each with its beginning.

Those who take a connection write here themselves: a call would be a tenth of what the rest of the taking costs.
"""

of_replicas: WeakSet[Any] = WeakSet()
"""Those of them that lead to a replica: it has less time, and its silence says nothing about the database."""


class _Silence:
    """Whether the database was found hanging, by readings of `monotonic`."""

    __slots__ = ("last_answer", "until")

    def __init__(self) -> None:
        self.until = 0.0
        self.last_answer = 0.0


silence = _Silence()

_watching = Lock()


def give_back(connection: Any) -> bool:
    """Stop watching a connection; return whether it still is what it was, for it may have been hung up."""
    began = in_use.pop(connection, None)
    if began is None:
        return False
    silence.last_answer, silence.until = monotonic(), 0.0
    return True


def is_silent() -> bool:
    """Check whether the database was found hanging a moment ago."""
    return monotonic() < silence.until


def note_answer(*_: object) -> None:
    """Note that the database has answered a statement; SQLAlchemy calls this after each."""
    silence.last_answer = monotonic()


def note_silence() -> None:
    """Note that the database has not answered, unless it has answered anything that it was asked meanwhile."""
    # Several statements that are slow together are no silence: each of them is answered, or ended, in this time.
    if monotonic() - silence.last_answer > STATEMENT_TIMEOUT_MILLISECONDS / 1000:
        silence.until = monotonic() + SILENT_FOR_SECONDS


def begin_to_watch() -> None:
    """Start the thread that watches, if it does not run yet."""
    if _watching.acquire(blocking=False):
        Thread(target=_watch, name="watch", daemon=True).start()


def _watch() -> None:
    while True:
        sleep(TICK_SECONDS)
        now = monotonic()
        for connection, began in list(in_use.items()):
            # A connection or a loop may be closed at this very moment.
            with suppress(OSError, RuntimeError, psycopg.Error):
                _look_at(connection, began, now)


def _look_at(connection: Any, began: float, now: float) -> None:
    budget = REPLICA_SECONDS if connection in of_replicas else BUDGET_SECONDS
    if isinstance(connection, psycopg.Connection) and connection.pgconn.transaction_status in _NOT_ASKED:
        # In a thread, the time between two statements is not the database's; on the event loop there is next to none.
        in_use[connection] = now
    elif isinstance(connection, psycopg.Connection) and connection.closed:
        in_use.pop(connection, None)
    elif now - began > budget and isinstance(connection, asyncpg.Connection):
        # An event loop that was busy gets the time to read the answers that are there.
        in_a_moment = partial(connection._loop.call_later, TICK_SECONDS, _give_up, connection, began)
        connection._loop.call_soon_threadsafe(in_a_moment)
    elif now - began > budget:
        _give_up(connection, began)


_NOT_ASKED = (TransactionStatus.IDLE, TransactionStatus.INTRANS, TransactionStatus.INERROR)


def _give_up(connection: Any, began: float) -> None:
    if in_use.get(connection) == began and in_use.pop(connection, None):
        if connection not in of_replicas:
            note_silence()
        _hang_up(connection)


def _hang_up(connection: Any) -> None:
    """End a connection; whoever waits for it gets the driver's error at once."""
    if isinstance(connection, asyncpg.Connection):
        # Closed politely, it would wait for the server to take notice.
        connection.terminate()
    elif isinstance(connection, psycopg.Connection) and not connection.closed:
        with socket.socket(fileno=dup(connection.fileno())) as twin:
            twin.shutdown(socket.SHUT_RDWR)
