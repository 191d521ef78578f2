import json
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPMessage, HTTPResponse
from pathlib import Path
from queue import SimpleQueue
from threading import Thread
from types import ModuleType
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
import uvicorn
import yaml
from starlette.types import ASGIApp

import clock
from db.accounts.logins import open_login
from db.membership import join
from db.sql.engine import transaction
from log import request_lines
from security.tokens import access_token, refresh_lifetime
from server import contracts
from server.contracts import Contract
from server.errors.shapes import problem
from serving import uvicorn_config
from tests.conftest import HANGS_AFTER
from tests.contract_truth import hold_to_contract
from tests.server.made_contracts import teller

TODOS = "/api/v1/todo/todos"
PROBLEM_MEMBERS = {"type", "title", "status", "detail", "code", "message"}


@dataclass(frozen=True)
class RawAnswer:
    """An answer as it came over the socket."""

    status: int
    headers: HTTPMessage
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


def raw_request(method: str, target: str, *headers: str, body: bytes = b"") -> bytes:
    """Write a request with these headers and no others but Host."""
    lines = [f"{method} {target} HTTP/1.1", "Host: quintet.example", *headers, "", ""]
    return "\r\n".join(lines).encode("latin-1") + body


def read_answer(connection: socket.socket, method: str = "GET") -> RawAnswer:
    """Read the next answer from a connection."""
    with closing(HTTPResponse(connection, method=method)) as response:
        response.begin()
        return RawAnswer(response.status, response.headers, response.read())


def assert_problem(answer: RawAnswer | httpx.Response, status: int, code: str | None = None) -> None:
    """Fail unless an answer is a problem document that agrees with its status."""
    problem = answer.json()
    actual = answer.status if isinstance(answer, RawAnswer) else answer.status_code
    assert (actual, problem["status"]) == (status, status)
    assert answer.headers["content-type"] == "application/problem+json"
    assert problem.keys() - {"errors"} == PROBLEM_MEMBERS
    assert problem["message"] == problem["detail"]
    assert code is None or problem["code"] == code


@pytest.fixture
def connect(base_url: str) -> Iterator[Callable[..., socket.socket]]:
    """Open connections to the server, for what a client library would put right or refuse to send.

    They come from an address of this machine's, of which there are many: 127.0.0.1, 127.0.0.2 and so on.
    """
    address = urlsplit(base_url)
    opened: list[socket.socket] = []

    def open_one(source: str = "127.0.0.1") -> socket.socket:
        place = (address.hostname, address.port)
        opened.append(socket.create_connection(place, timeout=HANGS_AFTER, source_address=(source, 0)))
        return opened[-1]

    yield open_one
    for connection in opened:
        connection.close()


@pytest.fixture
def exchange(connect: Callable[[], socket.socket]) -> Callable[..., RawAnswer]:
    """Send bytes as they are over a connection of their own, and read the answer."""

    def send(raw: bytes) -> RawAnswer:
        connection = connect()
        connection.sendall(raw)
        return read_answer(connection, raw.partition(b" ")[0].decode("latin-1"))

    return send


@pytest.fixture(scope="session")
def visitor_token(base_url: str) -> str:
    """An access token for all tests that leave nothing behind."""
    with transaction() as session:
        account = join(session, username="visitor", email="v@q.example", password_hash="none", at=clock.now())
        login = open_login(session, account_id=account.id, at=clock.now(), expires_at=clock.now() + refresh_lifetime())
    return access_token(account, login.id, fresh=True, at=clock.now())


@pytest.fixture(scope="session")
def visitor(base_url: str, visitor_token: str) -> Iterator[httpx.Client]:
    """A client that is signed in, for all tests that leave nothing behind."""
    headers = {"Authorization": f"Bearer {visitor_token}"}
    hooks = {"response": [hold_to_contract]}
    with httpx.Client(base_url=base_url, headers=headers, event_hooks=hooks, timeout=HANGS_AFTER) as client:
        yield client


@contextmanager
def served(app: ASGIApp, listener: socket.socket | None = None, *, trusted_proxies: str = "") -> Iterator[str]:
    """Serve another application with a real uvicorn, without taking part in the start and end of the database."""
    config = uvicorn_config(app, trusted_proxies=trusted_proxies)
    config.lifespan = "off"
    server = uvicorn.Server(config)
    with listener or socket.create_server(("127.0.0.1", 0)) as listening:
        thread = Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        name = listening.getsockname()
        yield f"http://127.0.0.1:{name[1]}" if listening.family == socket.AF_INET else "http://quintet.example"
        server.should_exit = True
        thread.join(HANGS_AFTER)


class Log:
    """What the server writes to its log, line by line."""

    def __init__(self) -> None:
        self.lines: SimpleQueue[str] = SimpleQueue()
        self.read: list[str] = []

    def write(self, lines: bytes) -> None:
        """Take what the server writes in one turn of its event loop."""
        for line in lines.decode().splitlines():
            self.lines.put(line)

    def flush(self) -> None:
        """Do nothing: what is written is there already."""

    def line_of(self, request_id: str) -> dict[str, Any]:
        """Wait for the line of a request: it is written when the answer is out already."""
        while True:
            self.read.append(self.lines.get(timeout=HANGS_AFTER))
            line = json.loads(self.read[-1])
            if line.get("id") == request_id:
                return line

    def all_text(self) -> str:
        """Return all that was written."""
        while not self.lines.empty():
            self.read.append(self.lines.get())
        return "\n".join(self.read)


@pytest.fixture
def log(monkeypatch: pytest.MonkeyPatch) -> Log:
    """Read the lines of requests as they are written to standard output in production."""
    log = Log()
    monkeypatch.setattr(request_lines, "output", log)
    return log


@pytest.fixture
def new_contract(base_url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., Contract]:
    """Make a contract of some paths, with handlers that answer who they are and what they were called with."""
    monkeypatch.setattr(contracts, "OPENAPI_FOLDER", tmp_path)

    def make(name: str, paths: dict[str, Any], **handlers: Any) -> Contract:
        document = {
            "openapi": "3.0.3",
            "info": {"title": name, "version": "1"},
            "servers": [{"url": "/made"}],
            "security": [{"token": []}],
            "paths": paths,
            "components": {"securitySchemes": {"token": {"type": "http", "scheme": "bearer", "x-token": "access"}}},
        }
        (tmp_path / f"{name}.yaml").write_text(yaml.dump(document, Dumper=yaml.SafeDumper))
        module: Any = ModuleType(f"handlers.{name}.things")
        for definition in (one for methods in paths.values() for one in methods.values()):
            called = definition["operationId"]
            vars(module)[called] = handlers.get(called) or teller(f"{name}.{called}", definition)
        monkeypatch.setitem(sys.modules, module.__name__, module)
        return Contract(name, base_path="/made", error=problem)

    return make
