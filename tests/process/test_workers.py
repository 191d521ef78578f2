"""Workers: several processes that serve one port, and what becomes of them."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from threading import Event
from time import monotonic, sleep
from urllib.parse import urlsplit

import httpx
import pytest

from tests.conftest import HANGS_AFTER
from tests.process.conftest import PLAIN, Serve, Serving, Start

pytestmark = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="workers are looked for in /proc")

ENDS_WITHIN_SECONDS = 5

SOON_HANGING = "import app, serving; serving.HEALTH_SECONDS = 1; app.main([])"
"""The server as it is, with less patience with workers that do not answer."""

IMPATIENT = """
from server.edge import deadlines
deadlines.CHECK_SECONDS, deadlines.HEAD_SECONDS, deadlines.BODY_SECONDS = 0.05, 0.2, 0.2
import app
app.main([])
"""
"""The server as it is, with next to no patience for a request that has begun."""


def workers_of(serving: Serving) -> set[int]:
    """Find the processes that serve: all children of the server's but the one that multiprocessing keeps for itself."""
    children = Path(f"/proc/{serving.process.pid}/task/{serving.process.pid}/children").read_text().split()
    return {int(one) for one in children if b"spawn_main" in Path(f"/proc/{one}/cmdline").read_bytes()}


def wait_for(is_so: Callable[[], bool], what: str) -> None:
    """Wait until something is so."""
    deadline = monotonic() + HANGS_AFTER
    while not is_so():
        assert monotonic() < deadline, what
        sleep(0.05)


def is_running(process: int) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def ask_anew(serving: Serving, **headers: str) -> httpx.Response:
    """Send a request over a connection of its own."""
    return httpx.get(f"{serving.url}/healthz", headers=headers, verify=False, timeout=HANGS_AFTER)


def reads_on(serving: Serving, text: str) -> str:
    """Read the server's log up to a line that has this text."""
    assert serving.process.stdout is not None
    while text not in (line := serving.process.stdout.readline()):
        assert line, f"the log ended without {text!r}"
    return line


@pytest.fixture(scope="module")
def folder(product: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return shutil.copytree(product, tmp_path_factory.mktemp("workers") / "checkout")


@pytest.fixture(scope="module")
def two(folder: Path) -> Iterator[Serving]:
    """A server of two workers for several tests, each of which leaves it serving."""
    variables = {**PLAIN, "PORT": "0", "WORKERS": "2", "RATE_LIMIT_PER_MINUTE": "30"}
    program = [sys.executable, "-c", SOON_HANGING]
    with subprocess.Popen(program, cwd=folder, env=variables, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield Serving(process, process.stdout.readline().split()[-1])
        process.terminate()
        process.communicate(timeout=HANGS_AFTER)


def test_workers_count_the_requests_of_a_minute_together(two: Serving):
    with ThreadPoolExecutor(8) as threads:
        path = f"{two.url}/api/stats/me"
        answers = list(threads.map(lambda _: httpx.get(path, verify=False, timeout=HANGS_AFTER), range(40)))

    assert len(workers_of(two)) == 2
    assert sorted(answer.status_code for answer in answers) == [401] * 30 + [429] * 10


def test_workers_that_are_killed_or_hang_are_replaced(two: Serving):
    killed, hanging = workers_of(two)

    os.kill(killed, signal.SIGKILL)
    os.kill(hanging, signal.SIGSTOP)
    wait_for(lambda: len(workers_of(two) - {killed, hanging}) == 2, "two new workers")

    assert ask_anew(two).status_code == 200


def test_a_renewal_reads_the_settings_anew_and_fails_no_request(two: Serving, folder: Path):
    workers, is_over = workers_of(two), Event()
    (folder / ".env").write_text("ALLOWED_ORIGINS=https://new.example\n")

    def keep_asking(client: httpx.Client | None) -> list[httpx.Response]:
        answers = []
        while not is_over.wait(0.01):
            answers.append(client.get("/healthz") if client else ask_anew(two))
        return answers

    with ThreadPoolExecutor(3) as threads, two.client() as client:
        asked = [threads.submit(keep_asking, one) for one in (None, None, client)]
        two.process.send_signal(signal.SIGHUP)
        try:
            reads_on(two, "Received SIGHUP")
            renewals = [reads_on(two, "Waiting for child process") for _ in workers]
        finally:
            is_over.set()
        answers = {answer.status_code for each in asked for answer in each.result()}
    wait_for(lambda: not workers_of(two) & workers, "the end of the old workers")
    renewed = ask_anew(two, Origin="https://new.example")
    (folder / ".env").unlink()

    assert len(renewals) == 2
    assert len(workers_of(two)) == 2
    assert answers == {200}
    assert renewed.headers["Access-Control-Allow-Origin"] == "https://new.example"


def test_settings_that_cannot_be_used_renew_nothing_and_the_log_says_why(two: Serving, folder: Path):
    workers = workers_of(two)
    (folder / ".env").write_text("KEEP_ALIVE=forever\n")

    two.process.send_signal(signal.SIGHUP)
    line = json.loads(reads_on(two, "go on as they are"))
    (folder / ".env").unlink()

    assert line["level"] == "error"
    assert "KEEP_ALIVE has to be a whole number" in line["message"]
    assert workers_of(two) == workers
    assert ask_anew(two).status_code == 200


def test_a_terminals_interrupt_reaches_all_and_ends_them_in_time_without_a_word(serve: Serve):
    serving = serve("-c", "import os, app; os.setpgrp(); app.main([])", WORKERS="2")
    workers = workers_of(serving)
    began = monotonic()

    os.killpg(serving.process.pid, signal.SIGINT)
    _, err = serving.process.communicate(timeout=HANGS_AFTER)

    assert (serving.process.returncode, err) == (0, "")
    assert monotonic() - began < ENDS_WITHIN_SECONDS
    assert not any(map(is_running, workers))


def test_a_parent_that_is_killed_leaves_no_workers(serve: Serve):
    serving = serve(WORKERS="2")
    workers = workers_of(serving)

    serving.stop(signal.SIGKILL)

    wait_for(lambda: not any(map(is_running, workers)), "the end of the workers")
    with pytest.raises(httpx.ConnectError):
        ask_anew(serving)


def test_a_single_process_ends_when_its_terminal_does(serve: Serve):
    code, _, err = serve().stop(signal.SIGHUP)

    assert (code, err) == (0, "")


def test_a_database_that_nobody_migrated_keeps_it_from_starting_without_migrate(start: Start):
    process = start(MIGRATE="off", WORKERS="2")

    _, err = process.communicate(timeout=HANGS_AFTER)

    assert process.returncode == 1
    assert err.startswith("quintet: the database lacks ")
    assert err.endswith("MIGRATE is off\n")


def test_a_connection_without_requests_stays_open_for_keep_alive_and_no_longer(serve: Serve):
    serving = serve("-c", IMPATIENT, KEEP_ALIVE="1")
    address = urlsplit(serving.url)
    with socket.create_connection((address.hostname, address.port), timeout=HANGS_AFTER) as connection:
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        while not connection.recv(1_000).endswith(b"}"):
            pass
        answered = monotonic()

        assert connection.recv(1_000) == b""

    assert monotonic() - answered > 0.9
