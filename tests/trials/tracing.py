"""Traces, with OpenTelemetry's packages and a collector: `make test-tracing`.

Serves with a collector that takes spans, with one that hangs and with none, and looks at what arrives, at what is
logged, and at how the server ends. Returns 1 when a promise is broken.
"""

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from threading import Thread
from time import perf_counter
from typing import Any

import httpx

ROOT = Path(__file__).parent.parent.parent
TODOS = "/api/v1/todo/todos"
TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
WORD = "12-Elm-Street"
PASSWORD = "Harbor-Lantern-42"
ACCOUNT = {"username": "maya", "email": "maya@lindqvist.example", "password": PASSWORD}
MANY = 3_000
"""Requests to a server whose collector takes nothing: more than the spans that are kept for it."""

MOST_GROWTH_BYTES = 48 * 2**20
END_SECONDS = 5


class Server:
    """A server of its own, on a new SQLite database."""

    def __init__(self, folder: Path, endpoint: str) -> None:
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ},
            "PORT": "0",
            "DATABASE_URL": f"sqlite:///{folder}/quintet.db",
            "JWT_SECRET_KEY": "correct-horse-battery-staple-0123456789",
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
        }
        self.log = (folder / "log").open("w+")
        command = [sys.executable, "-W", "ignore", "app.py"]
        self.process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout is not None
        line = next(line for line in self.process.stdout if line.startswith("Quintet is served"))
        self.reader = Thread(target=self._read, daemon=True)
        self.reader.start()
        self.client = httpx.Client(base_url=line.split()[-1], timeout=30)

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.log.write(line)

    def memory(self) -> int:
        """Return how many bytes it has in memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        return int(status.partition("VmRSS:")[2].split()[0]) * 1024

    def end(self) -> tuple[int, float, list[dict[str, Any]]]:
        """End it; return exit code, seconds and log."""
        began = perf_counter()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(30)
        seconds = perf_counter() - began
        self.reader.join()
        self.log.seek(0)
        return code, seconds, [json.loads(line) for line in self.log]


@contextmanager
def collecting() -> Iterator[tuple[str, list[Any], list[bytes]]]:
    """Be a collector; yield its URL, and the spans and the raw bytes that it gets."""
    request = import_module("opentelemetry.proto.collector.trace.v1.trace_service_pb2").ExportTraceServiceRequest
    spans: list[Any] = []
    raw: list[bytes] = []

    class Collector(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            assert self.path == "/v1/traces"
            raw.append(self.rfile.read(int(self.headers["Content-Length"])))
            for of_resource in request.FromString(raw[-1]).resource_spans:
                for of_scope in of_resource.scope_spans:
                    spans.extend(of_scope.spans)
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *_: Any) -> None:  # noqa: A002 (the names are the library's)
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Collector) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", spans, raw
        server.shutdown()


def check_spans(folder: Path) -> None:
    """Hold what a collector gets against what was asked."""
    with collecting() as (url, spans, raw):
        server = Server(folder, url)
        client, headers = server.client, {"User-Agent": WORD, "X-Request-ID": "traced", "Cookie": f"a={WORD}"}
        client.post("/api/v1/auth/register", json=ACCOUNT)
        client.post("/api/v1/auth/login", json={"email": ACCOUNT["email"], "password": PASSWORD})
        client.get(f"/{WORD}", params={WORD: WORD})
        client.request("PROPFIND", TODOS)
        client.get("/healthz")
        client.get(f"{TODOS}/4711?{WORD}={WORD}", headers=headers | {"traceparent": f"00-{TRACE}-{SPAN}-01"})
        code, _, log = server.end()

    by_name = {span.name: span for span in spans}
    attributes = {one.name: {entry.key: entry.value for entry in one.attributes} for one in spans}
    last, lines = by_name[f"GET {TODOS}/{{todo_id}}"], [line for line in log if "route" in line]
    assert code == 0
    assert len(spans) == len(lines) == 6
    assert {"POST /api/v1/auth/register", "GET", "HTTP", "GET /healthz"} <= by_name.keys()
    assert (last.trace_id.hex(), last.parent_span_id.hex()) == (TRACE, SPAN)
    assert attributes[last.name]["http.response.status_code"].int_value == 401
    assert attributes[last.name]["http.route"].string_value == f"{TODOS}/{{todo_id}}"
    assert {(line["trace_id"], line["span_id"]) for line in lines} == {
        (one.trace_id.hex(), one.span_id.hex()) for one in spans
    }
    for secret in (WORD, PASSWORD, "maya", "4711", "python-httpx", "traced"):
        assert not any(secret.encode() in body for body in raw), secret
    print("spans:", *sorted(by_name), "with", *sorted({key for one in attributes.values() for key in one}), sep="\n  ")


def check_bounds(name: str, folder: Path, endpoint: str) -> None:
    """Hold a server to its bounds whose collector takes nothing."""
    server = Server(folder, endpoint)
    times, before = [], 0
    for number in range(MANY):
        began = perf_counter()
        server.client.get("/healthz")
        times.append(perf_counter() - began)
        if number == MANY // 10:
            before = server.memory()
    growth = server.memory() - before
    code, seconds, log = server.end()

    complaints = [line for line in log if line["level"] in ("warning", "error")]
    print(
        f"{name}: median {median(times) * 1000:.1f} ms, growth {growth / 2**20:.1f} MiB, ended in {seconds:.1f} s,"
        f" {len(complaints)} complaints"
    )
    assert code == 0
    assert seconds < END_SECONDS
    assert growth < MOST_GROWTH_BYTES
    assert len(complaints) <= 3, complaints


def check_hanging(folder: Path) -> None:
    """Hold it to them with a collector that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        check_bounds("a collector that hangs", folder, f"http://127.0.0.1:{listener.getsockname()[1]}")


def check_away(folder: Path) -> None:
    """Hold it to them without a collector."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:
        endpoint = f"http://127.0.0.1:{listener.getsockname()[1]}"
    check_bounds("no collector", folder, endpoint)


def main() -> None:
    """Try each in turn."""
    checks: list[Callable[[Path], None]] = [check_spans, check_hanging, check_away]
    for check in checks:
        with TemporaryDirectory() as folder:
            check(Path(folder))


if __name__ == "__main__":
    main()
