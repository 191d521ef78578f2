"""What Prometheus asks for at /metrics: how many requests, how long they took, who waits for what.

Names follow Prometheus's conventions: base units, `_total` for what only grows. No label holds what a client has sent:
they are the contracts' operations, the server's own pages, statuses and codes.
"""

from collections.abc import Iterable
from contextlib import suppress
from platform import python_version
from threading import Lock, Thread
from time import sleep
from typing import Any, Protocol

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
    values,
)
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

from db.sql.pool_use import pool_uses
from server.asgi import Notes
from server.edge.request_log import observers
from server.metrics.workers import free_places, shared_folder, take_place
from server.version import VERSION

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2, 5)
"""In seconds. A GET takes one or two milliseconds; after two seconds the database is given up."""

PUBLISHED_EVERY_SECONDS = 1
"""How old what one process says of itself may be when another one is asked."""

NOWHERE = ("none", "none")
"""The labels of requests that were for no operation and for no page."""

FROM_THE_START = (
    "too_many_attempts",
    "too_many_requests",
    "invalid_credentials",
    "busy",
    "database_busy",
    "database_unavailable",
    "internal_error",
)
"""Codes that are counted from zero: of a series that begins with one, Prometheus does not see the first."""


class Waiting(Protocol):
    """Where requests wait for their turn (server/lanes.py, server/fair_turns.py)."""

    name: str
    waiting: int
    refused: int


class Metrics:
    """The metrics of this process, and of its siblings where it has some."""

    def __init__(self, lanes: Iterable[Waiting]) -> None:
        """Take a place among the processes of this start. Raises `OSError` when there is no room for its files."""
        self.lanes = {lane.name: lane for lane in lanes}
        self.folder = shared_folder()
        self.worker = _take_values(self.folder)
        self.own = CollectorRegistry()
        self.seen: dict[tuple[Counter, str], float] = {}
        self.kept: dict[tuple[str | None, int | None], tuple[Counter, Histogram]] = {}
        self.publishing = Lock()
        self._add_requests()
        self._add_lanes()
        self._add_database()
        self._add_process()

    def _add_requests(self) -> None:
        of_operation = ("contract", "operation")
        self.requests = self._counter("quintet_requests", "Requests answered.", *of_operation, "status")
        self.durations = Histogram(
            "quintet_request_duration_seconds",
            "How long requests took, until their answer was handed over.",
            of_operation,
            buckets=BUCKETS,
            registry=self.own,
        )
        self.errors = self._counter("quintet_errors", "Requests answered with an error, by its code.", "code")
        for code in FROM_THE_START:
            self.errors.labels(code)

    def _add_lanes(self) -> None:
        self.waiting = self._gauge("quintet_lane_waiting", "Requests that wait for their turn.", "lane")
        self.refused = self._counter("quintet_lane_refused", "Requests refused because too many waited.", "lane")

    def _add_database(self) -> None:
        start = "quintet_database_connections"
        self.open = self._gauge(f"{start}_open", "Open connections to the database.", "engine")
        self.in_use = self._gauge(f"{start}_in_use", "Connections to the database that are at work.", "engine")
        self.most = self._gauge(f"{start}_limit", "Connections to the database that may be opened.", "engine")

    def _add_process(self) -> None:
        self.process = ProcessCollector(registry=None)
        self.of_process: dict[str, Any] = {}
        for family in self.process.collect():
            make = self._counter if family.type == "counter" else self._gauge
            self.of_process[family.name] = make(family.name, family.documentation, "worker")
        self._gauge("quintet_workers", "Processes that serve.").set(1)
        build = self._gauge("quintet_build_info", "What runs here.", "version", "python", mode="livemax")
        build.labels(VERSION, python_version()).set(1)

    def _counter(self, name: str, meaning: str, *labels: str) -> Counter:
        return Counter(name, meaning, labels, registry=self.own)

    def _gauge(self, name: str, meaning: str, *labels: str, mode: Any = "livesum") -> Gauge:
        return Gauge(name, meaning, labels, registry=self.own, multiprocess_mode=mode)

    def observe(self, notes: Notes, seconds: float) -> None:
        """Count a request that was answered."""
        key = notes.endpoint.routing["operation_id"] if notes.endpoint else notes.page, notes.status
        counts = self.kept.get(key) or self._counts_of(notes, key)
        counts[0].inc()
        counts[1].observe(seconds)
        if notes.code is not None:
            self.errors.labels(notes.code).inc()

    def _counts_of(self, notes: Notes, key: tuple[str | None, int | None]) -> tuple[Counter, Histogram]:
        # Looking labels up takes longer than counting.
        place = ("pages", notes.page) if notes.page else NOWHERE
        if notes.endpoint:
            place = notes.endpoint.contract.name, notes.endpoint.definition["operationId"]
        self.kept[key] = self.requests.labels(*place, notes.status or "none"), self.durations.labels(*place)
        return self.kept[key]

    def begin(self) -> None:
        """Count the requests that are answered from now on, and let siblings know what this process is like."""
        observers.append(self.observe)
        if self.folder is not None:
            Thread(target=self._keep_publishing, name="metrics", daemon=True).start()

    def _keep_publishing(self) -> None:
        while True:
            sleep(PUBLISHED_EVERY_SECONDS)
            self._publish()

    def _publish(self) -> None:
        with self.publishing:
            for lane in self.lanes.values():
                self.waiting.labels(lane.name).set(lane.waiting)
                self._grow(self.refused, lane.name, lane.refused)
            for pool in pool_uses():
                self.open.labels(pool.engine).set(pool.open)
                self.in_use.labels(pool.engine).set(pool.in_use)
                self.most.labels(pool.engine).set(pool.most)
            for family in self.process.collect():
                metric, value = self.of_process[family.name], family.samples[0].value
                if family.type == "counter":
                    self._grow(metric, str(self.worker), value)
                else:
                    metric.labels(self.worker).set(value)

    def _grow(self, counter: Counter, label: str, value: float) -> None:
        # A process that takes over a place goes on with the counters there.
        counter.labels(label).inc(max(0, value - self.seen.get((counter, label), 0)))
        self.seen[counter, label] = value

    def text(self) -> bytes:
        """Write all metrics in Prometheus's text format; it takes tens of milliseconds, so it is done in a thread."""
        self._publish()
        if self.folder is None:
            return generate_latest(self.own)
        for number in free_places(self.folder):
            with suppress(FileNotFoundError):  # Another scrape was faster.
                mark_process_dead(number, str(self.folder))
        everyone = CollectorRegistry()
        MultiProcessCollector(everyone, str(self.folder))
        return generate_latest(everyone)


def _take_values(folder: Any) -> int:
    # Chosen here, rather than by prometheus_client when it is imported: its files are named by places, not processes.
    worker = take_place(folder) if folder else 0
    values.ValueClass = values.MultiProcessValue(lambda: worker) if folder else values.MutexValue
    disable_created_metrics()
    return worker
