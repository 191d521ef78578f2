"""One run of schemathesis on one contract, in a process of its own, and what came of it."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from connexion.http_facts import METHODS

from server.contracts import Contract

ROOT = Path(__file__).parent.parent.parent
CONFIGURATION = Path(__file__).with_name("schemathesis.toml")
PHASES = ("examples", "coverage", "fuzzing", "stateful")


@dataclass(frozen=True)
class Server:
    """A server to run against: where it is, and what its hooks need to make people and sign tokens."""

    base_url: str
    database_url: str
    jwt_secret_key: str


@dataclass(frozen=True)
class Outcome:
    """What a run says of itself: its output and its JSON report."""

    contract: Contract
    passed: bool
    output: str
    report: dict[str, Any]

    @property
    def cases(self) -> int:
        """Count the cases that were sent."""
        return self.report["test_cases"]["generated"]

    @property
    def scenarios(self) -> int:
        """Count the scenarios of several steps. Only the output tells."""
        return sum(int(count) for count in re.findall(r"Scenarios: +(\d+)", self.output))

    @property
    def failures(self) -> int:
        """Count the different failures, and the errors of the run itself."""
        return self.report["test_cases"]["unique_failures"] + sum(error["count"] for error in self.report["errors"])

    @property
    def warnings(self) -> int:
        """Count the operations that there is a warning about, for each warning."""
        return sum(len(labels) for labels in self.report["warnings"].values())

    @property
    def seconds(self) -> float:
        """How long it took."""
        return self.report["running_time"]

    @property
    def unreached(self) -> set[str]:
        """The operations that no valid request brought to a 2xx."""
        return {label for label in labels_of(self.contract) if not self.successes_of(label)}

    def successes_of(self, label: str) -> int:
        """Count the valid requests of an operation that were answered with a 2xx."""
        return sum(rate["accepted"] for rate in self.report["valid_rates"].get(label, {}).values())


def fuzz(
    contract: Contract,
    server: Server,
    reports: Path,
    *,
    seed: int,
    examples: int,
    phases: Sequence[str] = PHASES,
    max_time: int | None = None,
) -> Outcome:
    """Run all checks on a contract. In `max_time` seconds it is repeated as often as there is time for."""
    command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION), "run", str(contract.path)]
    command += ["--url", server.base_url + contract.mount, "--seed", str(seed), "--max-examples", str(examples)]
    command += ["--phases", ",".join(phases)]
    command += ["--report-junit-path", f"{reports}/junit.xml", "--report-json-path", f"{reports}/report.json"]
    command += ["--report-html-path", f"{reports}/html"]
    command += ["--max-time", str(max_time)] if max_time else []
    known = {"DATABASE_URL": server.database_url, "JWT_SECRET_KEY": server.jwt_secret_key}
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **known}, capture_output=True, text=True, check=False)
    report = reports / "report.json"
    assert report.exists(), done.stdout + done.stderr
    return Outcome(contract, done.returncode == 0, done.stdout, json.loads(report.read_bytes()))


def labels_of(contract: Contract) -> set[str]:
    """Name the operations of a contract as schemathesis does."""
    paths = contract.document["paths"].items()
    return {f"{method.upper()} {path}" for path, item in paths for method in METHODS & item.keys()}
