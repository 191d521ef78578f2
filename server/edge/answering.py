"""The answering half of a connection: which request has its answer under way, and refusals without the application."""

from asyncio import Task
from inspect import CORO_CREATED, getcoroutinestate
from secrets import token_hex
from time import perf_counter
from typing import Any, cast
from weakref import WeakKeyDictionary

from httptools import HttpRequestParser
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol, RequestResponseCycle
from uvicorn.server import ServerState

import clock
from server.answers.answers import error_answer
from server.asgi import Notes
from server.contracts import contract_at
from server.edge.request_log import NO_SNIFFING, log_request
from server.errors.refusals import Refusal

QUEUED_EVERY_SECONDS = 0.002
"""How often a request is begun that came while its connection waited for another answer: of all connections together.

A client that sends thousands of requests at once would otherwise have each following one begun before anybody else's.
"""

_next_queued_at: WeakKeyDictionary[ServerState, float] = WeakKeyDictionary()


class AnsweringProtocol(HttpToolsProtocol):
    """Uvicorn's HTTP, which by itself refuses in plain text, and in the midst of another request's answer."""

    parser: HttpRequestParser
    url: bytes = b""
    answering: RequestResponseCycle | None = None
    """The request that was passed to the application last; those behind it wait in `pipeline`."""
    task: Any = None  # a Task, or the TimerHandle of one that is to begin

    starts_queued = False

    def on_response_complete(self) -> None:
        """Be done with an answer, and go on with the next of the requests that came together."""
        self.starts_queued = True
        super().on_response_complete()
        self.starts_queued = False

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self.answering = cycle
        if self.starts_queued:
            at = max(_next_queued_at.get(self.server_state, 0), self.loop.time()) + QUEUED_EVERY_SECONDS
            _next_queued_at[self.server_state] = at
            self.task = self.loop.call_at(at, self._start, cycle, app)
        else:
            self._start(cycle, app)

    def _start(self, cycle: RequestResponseCycle, app: Any) -> None:
        if not self.transport.is_closing():
            self.task = task = self.loop.create_task(cycle.run_asgi(app))
            task.add_done_callback(self.tasks.discard)
            self.tasks.add(task)

    def is_answering(self) -> bool:
        """Check whether an answer is under way."""
        return self.answering is not None and not self.answering.response_complete

    def has_begun(self) -> bool:
        """Check whether the application has been given the request that it is to answer, or is yet to be."""
        return isinstance(self.task, Task) and getcoroutinestate(cast("Any", self.task.get_coro())) != CORO_CREATED

    def close_after_answer(self) -> None:
        """Close the connection after the answer that is under way, or now; what waits behind it gets none."""
        self.pipeline.clear()
        if self.answering is not None and not self.answering.response_complete:
            self.answering.keep_alive = False
        else:
            self.transport.close()

    def refuse(self, refusal: Refusal) -> None:
        """Refuse the request that is being read, as far as it can still be answered, and close the connection.

        The answer has the shape of the contract at its path, an id, and a line in the log.
        """
        if self.transport.is_closing():
            return
        broken = self.cycle if self.cycle is not None and self.cycle.more_body else None
        if self.is_answering():
            if broken is None or broken is not self.answering or broken.response_started:
                self.close_after_answer()
                return
        elif broken is not None:  # Its answer did not wait for its body.
            self.transport.close()
            return
        notes = Notes(token_hex(16)) if broken is None else self._break_off(broken)
        notes.status, notes.code = refusal.status, refusal.code
        self._write(refusal, notes)
        self.transport.close()

    def _break_off(self, cycle: RequestResponseCycle) -> Notes:
        """Let the application believe that the client is gone; return its notes on the request."""
        cycle.disconnected = True
        cycle.message_event.set()
        if not self.has_begun():
            self.task.cancel()
        return cycle.scope.get("notes") or Notes(token_hex(16))  # type: ignore[return-value]

    def _write(self, refusal: Refusal, notes: Notes) -> None:
        answer = error_answer(refusal, contract_at(self.url.partition(b"?")[0]), at=clock.now())
        own = [NO_SNIFFING, (b"x-request-id", notes.id.encode()), (b"connection", b"close")]
        headers = [*self.server_state.default_headers, *answer.headers, *notes.headers, *own]
        lines = b"".join(b"%b: %b\r\n" % header for header in headers)
        self.transport.write(b"%b%b\r\n%b" % (STATUS_LINE[refusal.status], lines, answer.body))
        is_logged_otherwise = self.cycle is not None and self.cycle.scope.get("notes") is notes
        if not is_logged_otherwise:
            log_request(None, notes, None, started=perf_counter())
