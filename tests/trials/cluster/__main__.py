"""`make cluster`: a cluster on loopback ports, what happens to it while clients write, and what came of that."""

import argparse
import signal
import sys
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from time import monotonic

from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from security.tokens import SigningKey, sign_with
from tests.conftest import SECRET
from tests.trials.cluster.cluster import Cluster, running_cluster
from tests.trials.cluster.driver import CLIENTS, Driver
from tests.trials.cluster.events import EVENTS, Event
from tests.trials.cluster.programs import PATIENCE_SECONDS, missing_packages, wait_until
from tests.trials.ledger import broken_invariants, kept_things
from tests.trials.people import looking_at, make_people

QUIET_SECONDS = 5
HEAD = (
    "| event | acknowledged writes meanwhile | lost or half | failed requests | writes back after | promise | holds |\n"
    "|---|---|---|---|---|---|---|"
)
UNDER_WAY = text(
    "SELECT count(*) FROM pg_stat_activity WHERE backend_xid IS NOT NULL AND pid <> pg_backend_pid()"
    " AND datname = current_database()"
)


@dataclass
class Outcome:
    """What came of an event."""

    event: Event
    writes: int
    wrong: list[str]
    failed: Counter[str]
    seconds: float
    most_failures: int | None

    @property
    def holds(self) -> bool:
        """Whether the promise was kept."""
        few = self.most_failures is None or self.failed.total() <= self.most_failures
        return not self.wrong and few and self.seconds <= self.event.most_seconds

    def line(self) -> str:
        """Write a line of the table."""
        failed = ", ".join(f"{kind}: {count}" for kind, count in self.failed.most_common()) or "0"
        seconds = f"{self.seconds:.1f} s" if self.seconds else "not away"
        promise, holds = self.event.promise(self.most_failures), "yes" if self.holds else "**no**"
        return f"| {self.event.name} | {self.writes} | {len(self.wrong)} | {failed} | {seconds} | {promise} | {holds} |"


def undergo(event: Event, cluster: Cluster, driver: Driver, engine: Engine) -> Outcome:
    """Let something happen to the cluster, wait until all is well, and compare what is kept with the ledger."""
    driver.wait_until_quiet(QUIET_SECONDS, PATIENCE_SECONDS)
    began = monotonic()
    allowed = event.happen(cluster)
    wait_until("all nodes run", cluster.has_all_nodes)
    wait_until("all servers are ready", cluster.is_served_by_all)
    is_quiet = driver.wait_until_quiet(QUIET_SECONDS, PATIENCE_SECONDS)
    journal = driver.journal
    writes, failed, seconds = journal.writes_since(began), journal.failures_since(began), journal.seconds_without(began)
    with driver.paused():
        wrong = _look(driver, engine)
    wrong += [] if is_quiet else ["requests went on to fail"]
    for one in wrong:
        print(f"{event.name}: {one}", flush=True)
    return Outcome(event, writes, wrong, failed, seconds, event.most_failures if allowed is None else allowed)


def _look(driver: Driver, engine: Engine) -> list[str]:
    with engine.connect() as connection:
        # What a client was told is unknown may still wait for its standby.
        wait_until("no transaction is under way", lambda: _nothing_under_way(connection))
    with Session(engine) as session:
        session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
        kept = kept_things(session.connection())
        return [*driver.journal.ledger.differences(kept), *broken_invariants(session)]


def _nothing_under_way(connection: Connection) -> bool:
    return connection.scalar(UNDER_WAY) == 0


def main() -> int:
    """Run what the command line asks for, and return 1 when a promise was broken."""
    options = argparse.ArgumentParser(prog="make cluster", description=__doc__)
    options.add_argument(
        "events", nargs="*", metavar="EVENT", help=f"some of {', '.join(EVENTS)} (default: all, in this order)"
    )
    options.add_argument("--keep-logs", type=Path, help="a folder to copy the logs of all programs to")
    given = options.parse_args()
    missing = missing_packages()
    if missing:
        print(f"these Debian packages are missing: {' '.join(sorted(missing))}", file=sys.stderr)
        return 2
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    sign_with(SigningKey(SECRET, "HS256", timedelta(hours=6), timedelta(days=7)))
    outcomes = _run(given.events or list(EVENTS), given.keep_logs)
    print(f"\n{HEAD}\n" + "\n".join(one.line() for one in outcomes))
    return 0 if all(one.holds for one in outcomes) else 1


def _run(names: list[str], logs: Path | None) -> list[Outcome]:
    outcomes = []
    if logs:
        logs.mkdir(parents=True, exist_ok=True)
    with running_cluster(logs) as cluster, looking_at(cluster.primary_url) as engine:
        print("the cluster is up", flush=True)
        driver = Driver(cluster.url, make_people(engine, CLIENTS))
        with driver.driving():
            for name in names:
                outcomes.append(undergo(EVENTS[name], cluster, driver, engine))
                print(outcomes[-1].line(), flush=True)
    return outcomes


if __name__ == "__main__":
    sys.exit(main())
