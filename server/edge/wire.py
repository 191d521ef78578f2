"""The wire: requests are read in small slices and within bounds, and what is no HTTP is refused like all else."""

from asyncio import Handle, Transport

from httptools import HttpParserError, HttpParserUpgrade
from uvicorn.protocols.http.flow_control import FlowControl

from server.edge.crowds import make_room
from server.edge.deadlines import TimedProtocol
from server.edge.heads import MOST_HEAD_BYTES, MOST_HEADERS, MOST_URL_BYTES, check_head
from server.errors.refusals import Refusal, head_too_large, malformed_request, url_too_long

SLICE_BYTES = 4_096
"""How much is parsed before one looks what came of it: some 150 of the shortest requests."""

TURN_BYTES = 4 * SLICE_BYTES
"""How much of a connection is parsed before others have their turn: some 5 ms, if a body comes in chunks of a byte."""

NOTHING = memoryview(b"")


class HttpProtocol(TimedProtocol):
    """Uvicorn's HTTP, which by itself parses all that comes, and keeps it until somebody wants it."""

    unread = NOTHING
    """What came and is not parsed yet; meanwhile nothing more is taken from the socket."""
    next_turn: Handle | None = None
    framing = 0
    """How many bytes came since one moved the request on: of its head, of a chunk's head, of trailers."""

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """Begin with a connection."""
        super().connection_made(transport)
        self.flow = Flow(self)
        make_room(self.connections, self)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget what nobody will answer."""
        super().connection_lost(exc)
        self.unread = NOTHING
        self.pipeline.clear()

    def data_received(self, data: bytes) -> None:
        """Parse what came, in slices: a client may send thousands of requests at once, or a head without end."""
        if len(data) <= SLICE_BYTES:
            self._parse(data)
            return
        self.unread = memoryview(data)
        self.transport.pause_reading()
        self._read_on()

    def read_on(self) -> None:
        """Parse what waits and read on, in the next turn of the event loop."""
        if not self.unread:
            self.transport.resume_reading()
        elif self.next_turn is None:
            self.next_turn = self.loop.call_soon(self._read_on)

    def _read_on(self) -> None:
        self.next_turn = None
        for _ in range(0, TURN_BYTES, SLICE_BYTES):
            if self.flow.read_paused or self.transport.is_closing():
                return
            piece, self.unread = self.unread[:SLICE_BYTES], self.unread[SLICE_BYTES:]
            self._parse(piece)
        if not self.flow.read_paused and not self.transport.is_closing():
            self.read_on()

    def _parse(self, data: bytes | memoryview) -> None:
        stage, scope = self.stage, self.scope
        self.framing += len(data)
        try:
            self.parser.feed_data(data)
        except HttpParserUpgrade as upgrade:
            # No other protocol is spoken here, and none need be (RFC 9110, section 7.8): the next request follows.
            self._parse(data[upgrade.args[0] :])
        except HttpParserError as error:
            # Uvicorn says no more of it than that. What `check_head` raised is the cause of httptools' own error.
            cause = error.__context__
            self.refuse(cause if isinstance(cause, Refusal) else self._malformed())
            return
        if self.stage != stage or self.scope is not scope:
            self.framing = 0
        elif self.framing > MOST_HEAD_BYTES or (stage == "head" and scope and len(self.headers) > MOST_HEADERS):
            self.refuse(self._too_large())

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a header. Trailers are dropped: they come when all that asks for headers is done (RFC 9110, 6.5.1).

        Uvicorn's own does the same with headers; it is called for each, and one call more for each costs as much again.
        """
        if self.stage == "head":
            name = name.lower()
            if name == b"expect" and value.lower() == b"100-continue":
                self.expect_100_continue = True
            self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        """Check the head before a request is made of it. Raises a `Refusal` (400, 431)."""
        check_head(self.headers, self.parser)
        super().on_headers_complete()

    def on_chunk_header(self) -> None:
        """Begin with a chunk."""
        self.framing = 0

    def on_body(self, body: bytes) -> None:
        """Take a piece of the body."""
        self.framing = 0
        super().on_body(body)

    def _malformed(self) -> Refusal:
        return url_too_long() if len(self.url) > MOST_URL_BYTES else malformed_request()

    def _too_large(self) -> Refusal:
        is_url = self.stage == "head" and len(self.url) > MOST_URL_BYTES // 2
        return url_too_long() if is_url else head_too_large()


class Flow(FlowControl):
    """Uvicorn's flow control, which by itself reads on whenever one of many waiting requests is answered."""

    def __init__(self, connection: HttpProtocol) -> None:
        super().__init__(connection.transport)
        self.connection = connection
        self.paused_at: float = 0

    def pause_reading(self) -> None:
        """Read nothing until the application has taken what is there."""
        if not self.read_paused:
            self.paused_at = self.connection.loop.time()
        super().pause_reading()

    def resume_reading(self) -> None:
        """Read on, unless requests wait already. The time meanwhile was not the client's."""
        connection = self.connection
        if self.read_paused and not connection.pipeline and not connection.transport.is_closing():
            self.read_paused = False
            connection.since += connection.loop.time() - self.paused_at
            connection.read_on()
