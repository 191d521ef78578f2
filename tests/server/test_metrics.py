"""/metrics: what is counted, who may read it, and that one process answers for all."""

import socket
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from shutil import which
from typing import Any

import httpx
import pytest
from flask import Flask
from prometheus_client.parser import text_string_to_metric_families

from server.app import Quintet
from server.asgi import Notes
from server.contracts import CONTRACTS
from server.edge.request_log import observers
from server.metrics import workers
from server.metrics.metrics import BUCKETS, Metrics
from server.metrics.page import add_metrics, metrics_page
from server.metrics.workers import FILE_BYTES, metrics_folder, shared_folder
from server.routing.routes import Routes
from server.version import VERSION
from settings import ROOT
from tests.conftest import HANGS_AFTER, PASSWORD, Person, once
from tests.server.conftest import TODOS, Log, read_answer, served

pytestmark = once

PROXIED = [{"X-Forwarded-For": "127.0.0.1"}, {"X-Forwarded-Proto": "https"}, {"Forwarded": "for=127.0.0.1"}]


@dataclass
class Queue:
    """A place where requests wait."""

    name: str
    waiting: int = 0
    refused: int = 0


@dataclass
class Scrape:
    """What a scrape found."""

    text: str

    def value(self, name: str, **labels: str) -> Any:
        """Return the value of a series; None where there is none."""
        for family in text_string_to_metric_families(self.text):
            for sample in family.samples:
                if sample.name == name and sample.labels == labels:
                    return sample.value
        return None

    def labels(self, name: str) -> list[dict[str, str]]:
        families = text_string_to_metric_families(self.text)
        return [sample.labels for family in families for sample in family.samples if sample.name == name]


def scrape(client: httpx.Client) -> Scrape:
    response = client.get("/metrics")
    assert response.status_code == 200
    return Scrape(response.text)


def own(metrics: Metrics) -> Scrape:
    return Scrape(metrics.text().decode())


@pytest.fixture(scope="module")
def measured(base_url: str) -> Iterator[httpx.Client]:
    """A client of a server whose metrics may be read from here."""
    app = Quintet(trusts_proxies=True)
    metrics = add_metrics(app, "127.0.0.1,::1")
    with served(app, trusted_proxies="*") as url, httpx.Client(base_url=url, timeout=HANGS_AFTER) as client:
        yield client
    observers.remove(metrics.observe)


@pytest.fixture
def folder() -> Iterator[None]:
    """A folder for several processes, of which this one plays all."""
    with metrics_folder():
        yield
        while workers._places:
            workers._places.pop().close()


def test_a_request_is_counted_by_contract_operation_and_status(measured: httpx.Client):
    of_operation = {"contract": "workspace", "operation": "list_todos"}
    before = scrape(measured)

    measured.get(TODOS)

    after = scrape(measured)
    series = "quintet_requests_total", {**of_operation, "status": "401"}
    assert after.value(series[0], **series[1]) == (before.value(series[0], **series[1]) or 0) + 1
    assert after.value("quintet_request_duration_seconds_bucket", **of_operation, le="+Inf") is not None
    assert after.value("quintet_request_duration_seconds_sum", **of_operation) > 0


def test_pages_and_paths_that_are_nowhere_are_told_apart(measured: httpx.Client):
    measured.get("/healthz")
    measured.get("/nothing/of/12-Elm-Street")
    measured.request("BREW", "/nothing")

    places = [(one["contract"], one["operation"]) for one in scrape(measured).labels("quintet_requests_total")]
    assert ("pages", "/healthz") in places
    assert ("none", "none") in places


def test_nothing_that_a_client_sends_becomes_a_label(measured: httpx.Client):
    word = "Elm-Street-12"
    for path in (f"/{word}", f"/{TODOS}/{word}", f"/docs/page/{word}", f"/docs/{word}", f"/openapi/{word}.json"):
        measured.request(word, path, params={word: word}, headers={word: word, "X-Request-ID": word})
        measured.get(path)
    measured.post("/api/v1/auth/login", json={"email": f"{word}@x.example", "password": word, word: word})

    assert word.lower() not in scrape(measured).text.lower()


def test_errors_are_counted_by_their_code(measured: httpx.Client, person: Person):
    before = scrape(measured).value("quintet_errors_total", code="invalid_credentials") or 0
    for _ in range(6):
        measured.post("/api/v1/auth/login", json={"email": person.email, "password": f"not-{PASSWORD}"})

    after = scrape(measured)
    assert after.value("quintet_errors_total", code="invalid_credentials") == before + 5
    assert after.value("quintet_errors_total", code="too_many_attempts") == 1
    assert after.value("quintet_errors_total", code="too_many_requests") == 0


def test_what_was_no_request_is_counted_too(measured: httpx.Client):
    before = scrape(measured).value("quintet_errors_total", code="malformed_request") or 0

    with socket.create_connection((measured.base_url.host, measured.base_url.port or 0), HANGS_AFTER) as connection:
        connection.sendall(b"Good morning!\r\n\r\n")
        assert read_answer(connection).status == 400

    assert scrape(measured).value("quintet_errors_total", code="malformed_request") == before + 1


def test_the_server_says_what_it_is_and_what_it_has(measured: httpx.Client):
    found = scrape(measured)

    python = ".".join(map(str, sys.version_info[:3]))
    assert found.value("quintet_build_info", version=VERSION, python=python) == 1
    assert found.value("quintet_workers") == 1
    assert found.value("process_resident_memory_bytes", worker="0") > 2**20
    assert found.value("process_cpu_seconds_total", worker="0") > 0
    assert found.value("quintet_database_connections_limit", engine="in_threads") > 0
    assert {one["lane"] for one in found.labels("quintet_lane_waiting")} >= {"reads", "writes", "passwords"}


@pytest.mark.skipif(which("promtool") is None, reason="promtool comes with Prometheus")
def test_names_and_help_are_as_promtool_wants_them(measured: httpx.Client):
    text = scrape(measured).text

    lint = subprocess.run(["promtool", "check", "metrics"], check=False, input=text, text=True, capture_output=True)
    assert (lint.returncode, lint.stdout + lint.stderr) == (0, "")


def test_without_metrics_there_is_no_such_page(anonymous: httpx.Client, log: Log):
    response = anonymous.get("/metrics")

    line = log.line_of(response.headers["x-request-id"])
    assert response.json() == anonymous.get("/nothing").json()
    assert (response.status_code, line["route"]) == (404, None)


@pytest.mark.parametrize("headers", PROXIED, ids=lambda headers: next(iter(headers)))
def test_nobody_reads_them_through_a_proxy_though_it_is_trusted(measured: httpx.Client, headers: dict[str, str]):
    response = measured.get("/metrics", headers=headers)

    assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize(
    ("allowed", "address", "status"),
    [
        ("127.0.0.1", "127.0.0.1", 200),
        ("127.0.0.1", "127.0.0.2", 404),
        ("127.0.0.1", "::ffff:127.0.0.1", 200),
        ("10.0.0.0/8,192.0.2.0/30", "192.0.2.3", 200),
        ("10.0.0.0/8,192.0.2.0/30", "192.0.2.4", 404),
        ("::1/128", "::1", 200),
        ("2001:db8::/32", "2001:db8::7", 200),
        ("::1/128", "127.0.0.1", 404),
        ("0.0.0.0/0", "::1", 404),
        ("", "127.0.0.1", 404),
    ],
)
def test_they_are_for_the_addresses_that_are_listed(allowed: str, address: str, status: int):
    app = Flask("metrics")
    app.add_url_rule("/metrics", "metrics", metrics_page(Metrics([]), allowed))

    response = app.test_client().get(
        "/metrics", environ_overrides={"asgi.scope": {"client": (address, 1), "headers": []}}
    )

    assert response.status_code == status


def test_a_client_without_an_address_reads_nothing():
    app = Flask("metrics")
    app.add_url_rule("/metrics", "metrics", metrics_page(Metrics([]), "0.0.0.0/0,::/0"))

    response = app.test_client().get("/metrics", environ_overrides={"asgi.scope": {"client": None, "headers": []}})

    assert response.status_code == 404


def test_every_operation_has_labels_of_its_own():
    endpoints = [endpoint for route in Routes(CONTRACTS) for endpoint in route.endpoints.values()]

    labels = {(one.contract.name, one.definition["operationId"]) for one in endpoints}
    assert len(labels) == len({one.routing["operation_id"] for one in endpoints}) == len(endpoints)


def test_a_process_answers_for_its_siblings(folder: None):
    request = Notes("x", page="/healthz", status=200, code="busy")
    one = Metrics([Queue("reads", waiting=2, refused=3)])
    one._publish()
    one.observe(request, 0.003)
    one.observe(request, 0.003)

    other = Metrics([Queue("reads", waiting=1)])
    other.observe(request, 0.003)

    found = own(other)
    assert found.value("quintet_workers") == 2
    assert found.value("quintet_lane_waiting", lane="reads") == 3
    assert found.value("quintet_lane_refused_total", lane="reads") == 3
    assert found.value("quintet_requests_total", contract="pages", operation="/healthz", status="200") == 3
    assert found.value("quintet_errors_total", code="busy") == 3
    assert found.value("process_resident_memory_bytes", worker="1") is not None


def test_of_a_process_that_has_ended_what_it_counted_stays(folder: None):
    ended = Metrics([Queue("reads", waiting=2, refused=3)])
    ended._publish()
    ended.observe(Notes("x", page="/healthz", status=200), 0.003)
    workers._places.pop().close()

    successor = Metrics([Queue("reads", refused=1)])
    successor.observe(Notes("x", page="/healthz", status=200), 0.003)

    found = own(successor)
    assert successor.worker == 0
    assert found.value("quintet_workers") == 1
    assert found.value("quintet_lane_waiting", lane="reads") == 0
    assert found.value("quintet_lane_refused_total", lane="reads") == 4
    assert found.value("quintet_requests_total", contract="pages", operation="/healthz", status="200") == 2


def test_a_process_that_was_killed_is_no_longer_there(folder: None):
    program = (
        "from server.metrics.metrics import Metrics; m = Metrics([]); m._publish(); print('ready', flush=True); input()"
    )
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        survivor = Metrics([])
        before = own(survivor)
        process.kill()
        process.wait(HANGS_AFTER)

    after = own(survivor)
    assert (before.value("quintet_workers"), after.value("quintet_workers")) == (2, 1)
    assert after.value("process_open_fds", worker="0") is None


def test_the_files_of_a_process_never_have_to_grow(folder: None):
    metrics = Metrics([Queue(name) for name in ("reads", "writes", "passwords")])
    endpoints = [endpoint for route in Routes(CONTRACTS) for endpoint in route.endpoints.values()]

    for endpoint in endpoints:
        for status in (*endpoint.definition["responses"], 405, 408, 413, 414, 415, 431, 500, 503):
            metrics.observe(Notes("x", endpoint=endpoint, status=int(status), code=f"code_{status}"), 0.003)
    metrics._publish()

    folder_of_all = shared_folder()
    assert folder_of_all is not None
    for kind, size in FILE_BYTES.items():
        content = (folder_of_all / f"{kind}_0.db").read_bytes()
        assert len(content) == size
        assert int.from_bytes(content[:4], sys.byteorder) < size / 2


def test_the_folder_is_gone_with_the_start_that_made_it():
    with metrics_folder():
        folder = shared_folder()
        assert folder is not None
        assert folder.stat().st_mode & 0o077 == 0

    assert not folder.exists()
    assert shared_folder() is None


def test_buckets_reach_from_a_fast_get_to_beyond_the_databases_budget():
    assert BUCKETS[0] == 0.001
    assert BUCKETS[-1] > 2
    assert list(BUCKETS) == sorted(BUCKETS)


def test_the_version_is_the_one_of_the_project():
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION
