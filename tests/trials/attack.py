"""Attack a server of its own with hostile connections, while others use it as they should; `make attack` runs it.

Prints a table in Markdown, and returns 1 when a bound of docs/reliability.md is broken.
"""

import argparse
import asyncio
import signal
import sys
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http import HTTPStatus
from multiprocessing import get_context
from pathlib import Path
from statistics import median, quantiles
from tempfile import TemporaryDirectory
from time import monotonic, perf_counter

from tests.trials.hostile import KINDS, READS, Fate, attack
from tests.trials.leaving import Leaving, leave_beside_others
from tests.trials.logins import HOSTILE_CONNECTIONS, LONGEST_SECONDS, Logins, log_in_beside_a_crowd
from tests.trials.pauses import WORST, longest_pause
from tests.trials.people import database
from tests.trials.target import Target, fill, target_at
from tests.trials.visitors import Visits, visit

HEALTHY_CLIENTS = 8
MOST_BYTES_OF_A_CONNECTION = 4 * 2**20
MOST_SECONDS_OF_A_PAUSE = 0.05
MOST_SECONDS_OF_P99 = 1
MOST_SECONDS_TO_END = 5
MOST_SECONDS_BESIDE_A_DELETION = 1
MOST_SECONDS_OF_WAITING = 40
"""How much longer connections are watched on a busy machine."""
LOGINS_OF_OTHERS = 20
LEAST_LOGINS_IN_TIME = 0.95
CLOSED_WITHIN = {"silent": 15, "half a head": 15, "half a body": 35, "never reading": 45}
"""The deadlines, and five seconds for how often is looked; what never reads may have waited for its answer as well."""


@dataclass
class Report:
    """Rows of a table: what was looked at, what was found, the bound, and whether it was kept."""

    rows: list[tuple[str, str, str, bool]] = field(default_factory=list)

    def add(self, what: str, found: str, bound: str = "", *, kept: bool = True) -> None:
        """Add a row and print it."""
        self.rows.append((what, found, bound, kept))
        print(f"| {what} | {found} | {bound} | {'' if not bound else 'kept' if kept else '**broken**'} |", flush=True)

    @property
    def is_kept(self) -> bool:
        """Whether all bounds were kept."""
        return all(kept for *_, kept in self.rows)


def main() -> int:
    """Attack what the command line names."""
    given = _options()
    kept = True
    for kind in ("sqlite", "postgresql") if given.database == "both" else (given.database,):
        print(f"\n**{kind}**, {given.connections} hostile connections, {given.todos} to-dos\n")
        print("| what | found | bound | |\n|---|---|---|---|")
        with database(kind) as (url, _), TemporaryDirectory() as folder:
            kept &= trial(url, fill(url, given.todos), Path(folder), given.connections, given.seconds).is_kept
    return 0 if kept else 1


def _options() -> argparse.Namespace:
    options = argparse.ArgumentParser(prog="make attack", description=__doc__)
    options.add_argument("--database", choices=("sqlite", "postgresql", "both"), default="both")
    options.add_argument("--connections", type=int, default=1_000)
    options.add_argument("--seconds", type=float, default=50, help="of the attack; what never reads is closed after 30")
    options.add_argument("--todos", type=int, default=20_000)
    return options.parse_args()


def trial(url: str, token: str, folder: Path, connections: int, seconds: float) -> Report:
    """Try one database."""
    report = Report()
    with target_at(url, token, folder / "memory.log") as target:
        asyncio.run(_memory(target, report, max(10, connections // 20)))
    with target_at(url, token, folder / "attack.log") as target:
        asyncio.run(under_attack(target, report, connections, seconds))
    with target_at(url, token, folder / "logins.log") as target:
        _report_logins(report, asyncio.run(log_in_beside_a_crowd(target, LOGINS_OF_OTHERS)))
    with target_at(url, token, folder / "pauses.log") as target:
        for name in WORST:
            pause = asyncio.run(longest_pause(target, name))
            kept = pause <= MOST_SECONDS_OF_A_PAUSE
            report.add(f"longest pause for others: {name}", _ms(pause), _ms(MOST_SECONDS_OF_A_PAUSE), kept=kept)
        _report_leaving(report, leave_beside_others(target))
    return report


async def _memory(target: Target, report: Report, connections: int) -> None:
    for kind in KINDS:
        before, fates = target.memory, [list[Fate]() for _ in range(connections)]
        until = perf_counter() + 2
        attacks = asyncio.gather(*(attack(kind, target, one, until) for one in fates))
        most = before
        while not attacks.done():
            most = max(most, target.memory)
            await asyncio.sleep(0.1)
        await attacks
        each = (most - before) / connections
        report.add(
            f"memory of a connection: {kind}",
            f"{each / 2**20:.2f} MiB",
            "4 MiB",
            kept=each <= MOST_BYTES_OF_A_CONNECTION,
        )


async def under_attack(target: Target, report: Report, connections: int, seconds: float) -> None:
    """Attack a server for so many seconds, and end it in the midst of that."""
    before = target.memory
    fates: dict[str, list[Fate]] = {kind: [] for kind in KINDS}
    until = perf_counter() + seconds
    with healthy(target, seconds - 1, through_the_end=False) as visits:
        attacks = [
            asyncio.create_task(attack(kind, target, fates[kind], until + MOST_SECONDS_OF_WAITING))
            for number in range(connections)
            for kind in [KINDS[number % len(KINDS)]]
        ]
        await asyncio.wrap_future(visits)
    while any(one.closed_at is None for kind in CLOSED_WITHIN for one in fates[kind]) and perf_counter() < until + 20:
        await asyncio.sleep(0.2)
    each = (target.memory - before) / connections
    kept = each <= MOST_BYTES_OF_A_CONNECTION
    report.add("memory of a connection under attack", f"{each / 2**20:.2f} MiB", "4 MiB", kept=kept)
    _report_fates(report, fates)
    _report_visits(report, visits.result())
    await _end(target, report, fates)
    for one in attacks:
        one.cancel()
    await asyncio.gather(*attacks, return_exceptions=True)


@contextmanager
def healthy(target: Target, seconds: float, *, through_the_end: bool) -> Iterator[Future[Visits]]:
    """Let healthy clients visit a server from a process of their own."""
    with ProcessPoolExecutor(1, get_context("spawn")) as processes:
        yield processes.submit(
            visit, (target.port, target.token), seconds, HEALTHY_CLIENTS, through_the_end=through_the_end
        )


def _report_fates(report: Report, fates: dict[str, list[Fate]]) -> None:
    for kind, of_kind in fates.items():
        closed = sorted(fate.seconds for fate in of_kind if fate.seconds is not None)
        statuses = sorted({status for fate in of_kind for status in fate.answers.statuses})
        if kind in READS:
            answers = sum(len(fate.answers.statuses) for fate in of_kind)
            report.add(f"{kind}: {len(of_kind)} connections", f"{answers} answers {statuses}")
            continue
        found = f"{len(closed)} closed" + (f" after {closed[0]:.0f} to {closed[-1]:.0f} s" if closed else "")
        kept = len(closed) == len(of_kind) and closed[-1] <= CLOSED_WITHIN[kind]
        found += f", answered {', '.join(map(str, statuses))}" if statuses else ""
        report.add(f"{kind}: {len(of_kind)} connections", found, f"all within {CLOSED_WITHIN[kind]} s", kept=kept)


def _report_visits(report: Report, visits: Visits) -> None:
    count, failed = len(visits.statuses), sum(status >= 400 for status in visits.statuses) + visits.refused
    kept = count > 0 and not failed
    report.add("requests of healthy clients", f"{count}, {failed} refused", "none refused", kept=kept)
    if count > 1:
        percentiles = quantiles(visits.seconds, n=100, method="inclusive")
        found = " / ".join(map(_ms, (median(visits.seconds), percentiles[98], max(visits.seconds))))
        kept = percentiles[98] <= MOST_SECONDS_OF_P99
        report.add("their median / p99 / longest", found, f"p99 {_ms(MOST_SECONDS_OF_P99)}", kept=kept)


def _report_logins(report: Report, logins: Logins) -> None:
    count, slowest = len(logins.seconds) + logins.failed, max(logins.seconds, default=0)
    found = f"{logins.in_time:.0%} of {count}, {logins.failed} failed, slowest {slowest:.1f} s"
    kept = logins.in_time >= LEAST_LOGINS_IN_TIME
    bound = f"{LEAST_LOGINS_IN_TIME:.0%} within {LONGEST_SECONDS} s"
    report.add(f"logins of others beside {HOSTILE_CONNECTIONS} hostile connections", found, bound, kept=kept)


def _report_leaving(report: Report, leaving: Leaving) -> None:
    slowest, gone = max(leaving.of_others), HTTPStatus.NO_CONTENT
    kept = leaving.status == gone and not leaving.failed and slowest <= MOST_SECONDS_BESIDE_A_DELETION
    found = f"{_ms(leaving.seconds)}; {len(leaving.of_others)} requests of others, the slowest {_ms(slowest)}"
    report.add("deleting the whole account", found, _ms(MOST_SECONDS_BESIDE_A_DELETION), kept=kept)


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms"


async def _end(target: Target, report: Report, fates: dict[str, list[Fate]]) -> None:
    loop = asyncio.get_running_loop()
    with healthy(target, 20, through_the_end=True) as visits:
        await asyncio.sleep(2)
        began = monotonic()
        target.process.send_signal(signal.SIGTERM)
        code = await loop.run_in_executor(None, target.process.wait, 20)
        seconds = monotonic() - began
        cut_off = (await asyncio.wrap_future(visits)).cut_off
    await asyncio.sleep(0.5)
    cut_off += sum(bool(fate.answers.buffer) for kind in READS for fate in fates[kind])
    kept = seconds <= MOST_SECONDS_TO_END
    report.add(
        "SIGTERM under that load", f"exit code {code} after {seconds:.1f} s", f"{MOST_SECONDS_TO_END} s", kept=kept
    )
    report.add("answers that were cut off", str(cut_off), "none", kept=not cut_off)


if __name__ == "__main__":
    sys.exit(main())
