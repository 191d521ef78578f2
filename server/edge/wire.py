"""The wire: what cannot be read as an HTTP request is refused like all else, with an id and a line in the log."""

from secrets import token_hex
from time import perf_counter

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

import clock
from server.answers.answers import error_answer
from server.asgi import Notes
from server.contracts import contract_at
from server.edge.request_log import log_request
from server.errors.refusals import Refusal, head_too_large, malformed_request, url_too_long

MOST_HEAD_BYTES = 65_536
"""How much of a request line and headers is read before one asks whether they ever end."""

MOST_URL_BYTES = 65_535
"""The longest URL that httptools takes."""


class HttpProtocol(HttpToolsProtocol):
    """Uvicorn's HTTP, which by itself answers in plain text and reads headers without end."""

    url: bytes = b""
    _head_size = 0
    _is_in_head = False

    def on_message_begin(self) -> None:
        """Begin with a request."""
        super().on_message_begin()
        self._head_size, self._is_in_head = 0, True

    def on_headers_complete(self) -> None:
        """Be done with its headers."""
        self._is_in_head = False
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Read on, unless the headers of one request grow too long."""
        headers = self.headers if self._is_in_head else None
        super().data_received(data)
        if headers is not None and self._is_in_head and headers is self.headers:
            self._head_size += len(data)
            if self._head_size > MOST_HEAD_BYTES:
                self._refuse(head_too_large())

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 (uvicorn's words for it)
        """Refuse what is no HTTP request, or one whose URL is too long for the parser."""
        self._refuse(url_too_long() if len(self.url) > MOST_URL_BYTES else malformed_request())

    def _refuse(self, refusal: Refusal) -> None:
        if self.transport.is_closing():
            return
        request_id = token_hex(16)
        answer = error_answer(refusal, contract_at(self.url.partition(b"?")[0]), at=clock.now())
        headers = [*answer.headers, (b"x-request-id", request_id.encode()), (b"connection", b"close")]
        lines = b"".join(b"%b: %b\r\n" % header for header in [*self.server_state.default_headers, *headers])
        self.transport.write(b"%b%b\r\n%b" % (STATUS_LINE[refusal.status], lines, answer.body))
        self.transport.close()
        log_request(None, Notes(request_id, status=refusal.status), None, started=perf_counter())
