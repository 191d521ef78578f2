"""A server to attack: `python app.py` in a process of its own, over an account that has thousands of to-dos."""

import subprocess
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

from sqlalchemy import insert

import clock
from db.accounts.logins import open_login
from db.membership import join
from db.schema import migrate
from db.sql.engine import connect, disconnect, transaction
from db.tasks.tasks import Task
from security.passwords import hash_password
from security.tokens import access_token, refresh_lifetime
from tests.trials.people import serving, sign_as_the_server

EMAIL, PASSWORD = "maya@q.example", "Harbor-Lantern-42"


@dataclass(frozen=True)
class Target:
    """A server that runs, and what may be asked of it."""

    process: subprocess.Popen[bytes]
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


def fill(url: str, todos: int) -> str:
    """Make the schema and an account with so many to-dos; return an access token of it.

    That takes a process of its own: this one may serve another database.
    """
    with ProcessPoolExecutor(1, get_context("spawn")) as processes:
        return processes.submit(_fill, url, todos).result()


def _fill(url: str, todos: int) -> str:
    sign_as_the_server()
    migrate(connect(url))
    now = clock.now()
    with transaction(limited=False) as session:
        account = join(session, username="maya", email=EMAIL, password_hash=hash_password(PASSWORD), at=now)
        login = open_login(session, account_id=account.id, at=now, expires_at=now + refresh_lifetime())
        plain = {"account_id": account.id, "created_at": now, "updated_at": now, "description": "y" * 100}
        session.execute(insert(Task), [{"title": f"Task {number}", **plain} for number in range(todos)])
        token = access_token(account, login.id, fresh=True, at=now)
    disconnect()
    return token


@contextmanager
def target_at(url: str, token: str, log: Path, program: tuple[str, ...] = ("app.py",)) -> Iterator[Target]:
    """Run the server for a while; its log goes to a file."""
    with serving(url, log, program) as served:
        yield Target(served.process, int(served.url.rpartition(":")[2]), token)
