"""Deadlines of a connection: for the head of a request, for its body, and for a client that does not read."""

import socket
from asyncio import Task, Transport
from contextlib import suppress
from struct import pack
from typing import Any, Literal

from server.edge.answering import AnsweringProtocol
from server.errors.refusals import request_timeout

HEAD_SECONDS = 10
"""How long the head of a request may take: from its first byte, or from the connection's beginning."""

BODY_SECONDS = 30
"""How long the body of a request may take, from the end of its head. While the server itself pauses, no time passes."""

SEND_SECONDS = 30
"""How long a client may read nothing of what waits for it."""

LAST_SECONDS = 1
"""How long each of these may still take once the server is told to stop, and how long a request may still come on a
connection that is open: a client cannot know that it will be closed."""

CHECK_SECONDS = 0.5
"""How often a connection is looked at. That costs a request nothing, as a timer of its own would."""

MOST_UNSENT_BYTES = 65_536
"""How much the system takes off the server's hands that it cannot send yet: at least this much is read, then, by a
client of whom nothing is seen for `SEND_SECONDS`. By default it is some megabytes, kept for whoever does not read."""

_RESET_ON_CLOSE = pack("ii", 1, 0)

Stage = Literal["between requests", "head", "body"]


class TimedProtocol(AnsweringProtocol):
    """HTTP with an end: uvicorn by itself waits for the rest of a request, and for its reader, without end."""

    stage: Stage = "head"
    since: float = 0
    """When the stage began; in seconds of the event loop, as are all times here."""
    stopping_since: float | None = None
    unsent = 0
    moved_at: float = 0
    timer: Any = None

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Give a new connection the time for a head."""
        super().connection_made(transport)
        with suppress(OSError):  # Only TCP knows it.
            _socket_of(transport).setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, MOST_UNSENT_BYTES)
        self.since = self.moved_at = self.loop.time()
        self.timer = self.loop.call_later(CHECK_SECONDS, self._check)

    def connection_lost(self, exc: Exception | None) -> None:
        """Look at it no more."""
        super().connection_lost(exc)
        self._unset_keepalive_if_required()
        self.timer.cancel()

    def on_message_begin(self) -> None:
        """Begin with a head. Anything less, empty lines say, does not keep an idle connection open."""
        super().on_message_begin()
        if self.timeout_keep_alive_task is not None:
            self._unset_keepalive_if_required()
        if self.stage == "between requests":
            self.stage, self.since = "head", self.loop.time()

    def on_headers_complete(self) -> None:
        """Go on to the body."""
        super().on_headers_complete()
        self.stage, self.since = "body", self.loop.time()
        if self.stopping_since is not None:
            self.close_after_answer()

    def on_message_complete(self) -> None:
        """Be done with a request. Where its answer came first, the connection is idle from now on."""
        super().on_message_complete()
        self.stage = "between requests"
        if self.cycle.response_complete and not self.transport.is_closing():
            self._unset_keepalive_if_required()
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_response_complete(self) -> None:
        """Be done with an answer. A connection on which a request is being read is not idle."""
        super().on_response_complete()
        if self.stage != "between requests":
            self._unset_keepalive_if_required()

    def resume_writing(self) -> None:
        """Go on with an answer that the client has read most of."""
        self.moved_at = self.loop.time()
        super().resume_writing()

    def shutdown(self) -> None:
        """Close the connection after the answer that is under way, or that comes within `LAST_SECONDS`."""
        self.stopping_since = self.loop.time()
        if self.is_answering() and not isinstance(self.task, Task):  # It only waits for its turn.
            self.task.cancel()
            self.transport.close()
        elif self.is_answering():
            self.close_after_answer()

    def is_waiting_for_client(self) -> bool:
        """Check whether all that this connection does is wait for a request, or for the rest of one."""
        if not self.is_answering():
            return not self.transport.is_closing()
        is_in_body = self.stage == "body" and self.answering is self.cycle
        return is_in_body and not self.cycle.response_started and not self.flow.read_paused

    def give_up(self) -> None:
        """Wait no longer for the rest of a request, and say so where something of one has come."""
        if self.scope is None or self.stage == "between requests":
            self.transport.close()
        else:
            self.refuse(request_timeout())

    def _check(self) -> None:
        self.timer = self.loop.call_later(CHECK_SECONDS, self._check)
        now = self.loop.time()
        if self._is_stalled(now):
            # Otherwise the system would go on offering what it took, for minutes.
            _socket_of(self.transport).setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
            self.transport.abort()
        elif self._is_late(now) and not self.transport.is_closing():
            self.give_up()

    def _is_stalled(self, now: float) -> bool:
        unsent = self.transport.get_write_buffer_size()
        if not unsent or unsent != self.unsent:
            self.unsent, self.moved_at = unsent, now
        return now - self.moved_at >= (SEND_SECONDS if self.stopping_since is None else LAST_SECONDS)

    def _is_late(self, now: float) -> bool:
        if self.flow.read_paused or (self.is_answering() and self.stage == "between requests"):
            return False
        if self.stopping_since is not None:
            return now - max(self.since, self.stopping_since) >= LAST_SECONDS
        if self.stage == "between requests":
            return False
        return now - self.since >= (HEAD_SECONDS if self.stage == "head" else BODY_SECONDS)


def _socket_of(transport: Transport) -> socket.socket:
    return transport.get_extra_info("socket")
