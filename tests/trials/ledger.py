"""What a crash must not undo: every write that was acknowledged, and what the database then holds of it."""

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

from sqlalchemy import Connection, func, select, text
from sqlalchemy.orm import Session

from db.accounts.accounts import Account
from db.focus.days import streaks
from db.focus.sessions import FocusSession, Plant
from db.focus.standings import BITS, LEVELS, RANKED, STANDINGS, SUMMED, TOTAL, read_totals
from db.focus.stats import FocusDay, FocusStats, figures_of
from db.tasks.recurrence import RecurrencePattern
from db.tasks.tags import task_tags
from db.tasks.tasks import Task

Key = tuple[str, str]
"""The kind of a thing and its name."""


@dataclass
class Ledger:
    """What writers were promised: a value for each key, None for what is deleted, and what was asked for last."""

    acknowledged: dict[Key, Any] = field(default_factory=dict)
    asked: dict[Key, Any] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def asking(self, kind: str, name: str, value: Any) -> Iterator[None]:
        """Ask for a value; when the block ends well it was promised, and else nobody knows."""
        self.asked[kind, name] = value
        yield
        self.acknowledged[kind, name] = self.asked.pop((kind, name))
        self.counts[kind] += 1

    def differences(self, kept: Mapping[Key, Any]) -> list[str]:
        """Compare with what is kept, and go on from there: what was asked for is done whole or not at all."""
        wrong = []
        # The server gives a session its name, so one that nobody knows may be one that was asked for.
        unknown = sum(kind == "new session" for kind, _ in self.asked)
        for key in self.acknowledged.keys() | self.asked.keys() | kept.keys():
            actual, promised = kept.get(key), self.acknowledged.get(key)
            if key not in self.acknowledged and key[0] == "session" and actual == "open" and unknown:
                unknown -= 1
            elif actual != promised and not (key in self.asked and actual == self.asked[key]):
                wrong.append(f"{key}: {actual} instead of {promised}, {self.asked.get(key, 'nothing')} asked for")
            self.acknowledged[key] = actual
        self.asked.clear()
        return wrong


def kept_things(connection: Connection) -> dict[Key, Any]:
    """Read what the database holds, in the words of the ledger."""
    kept: dict[Key, Any] = {}
    standing = set(connection.scalars(select(Account.id).where(Account.is_active)))
    things: Counter[int] = Counter()
    for title, copies in _tasks_by_title(connection, standing):
        things.update(task.account_id for task in copies)
        if title.startswith("chain"):
            # How many there are, how many of them are done, recur, and have a tag.
            figures = [bool(task.completed_at) for task in copies], [task.patterns for task in copies]
            kept["recurring task", title] = (len(copies), *map(sum, figures), sum(task.tags for task in copies))
        elif title.startswith("task"):
            kept["task", title] = copies[0].description
    for account in connection.execute(select(Account.id, Account.username).where(Account.is_active)):
        if account.username.startswith("victim"):
            kept["account", account.username] = things[account.id]
        elif account.username.startswith("member"):
            kept["registration", account.username] = "there"
    for focus in connection.execute(select(FocusSession.id, FocusSession.completed_at, FocusSession.account_id)):
        kept["session", str(focus.id)] = "credited" if focus.completed_at else "open"
    return kept


def _tasks_by_title(connection: Connection, standing: set[int]) -> Iterator[tuple[str, list[Any]]]:
    patterns = select(func.count()).where(RecurrencePattern.task_id == Task.id).scalar_subquery()
    tags = select(func.count()).where(task_tags.c.task_id == Task.id).scalar_subquery()
    columns = Task.title, Task.description, Task.account_id, Task.completed_at
    tasks = connection.execute(select(*columns, patterns.label("patterns"), tags.label("tags")).order_by(Task.title))
    living = (task for task in tasks if task.account_id in standing)
    return ((title, list(copies)) for title, copies in groupby(living, lambda task: task.title))


def broken_invariants(session: Session) -> list[str]:
    """Name what is kept twice and differs: statistics, standings, totals, and next occurrences."""
    wrong = [*_wrong_statistics(session), *_wrong_standings(session)]
    connection = session.connection()
    without = select(func.count()).select_from(Account).outerjoin(FocusStats)
    if connection.scalar(without.where(Account.is_active, FocusStats.account_id.is_(None))):
        wrong.append("an account has no statistics")
    if connection.scalar(without.where(Account.is_active.is_(False), FocusStats.account_id.is_not(None))):
        wrong.append("a closed account has statistics")
    if connection.dialect.name == "sqlite":
        found = connection.execute(text("PRAGMA integrity_check")).all()
        wrong += [f"integrity_check: {row[0]}" for row in found if row[0] != "ok"]
        wrong += [f"foreign_key_check: {row}" for row in connection.execute(text("PRAGMA foreign_key_check"))]
    return wrong


def _wrong_statistics(session: Session) -> Iterator[str]:
    key: Any = FocusSession.account_id, FocusSession.completed_on
    sums = select(*key, func.sum(FocusSession.focus_min), func.count()).group_by(*key).order_by(*key)
    by_day = [tuple(row) for row in session.execute(sums.where(FocusSession.completed_at.is_not(None)))]
    columns: Any = FocusDay.account_id, FocusDay.day, FocusDay.focus_min, FocusDay.sessions_completed
    if [tuple(row) for row in session.execute(select(*columns).order_by(*columns))] != by_day:
        yield "days differ from their sessions"
    days = {owner: list(rows) for owner, rows in groupby(by_day, lambda row: row[0])}
    counted = session.execute(select(Plant.account_id, func.count()).group_by(Plant.account_id))
    plants = {row[0]: row[1] for row in counted}
    for stats in session.scalars(select(FocusStats)):
        own = days.get(stats.account_id, [])
        recomputed = sum(row[2] for row in own), sum(row[3] for row in own), streaks(row[1] for row in own)[0]
        if (stats.total_focus_min, stats.total_sessions, stats.best_streak) != recomputed:
            yield f"the statistics of account {stats.account_id} differ from its sessions"
        if stats.plant_count != plants.get(stats.account_id, 0):
            yield f"the plants of account {stats.account_id} are miscounted"


def _wrong_standings(session: Session) -> Iterator[str]:
    figures = [figures_of(stats) for stats in session.scalars(select(FocusStats))]
    totals = read_totals(session.connection())
    if tuple(totals) != tuple(sum(getattr(one, name) for one in figures) for name in SUMMED):
        yield "the totals differ from the accounts"
    values = [(board, getattr(one, board)) for one in figures for board in RANKED]
    buckets = [(board, at, value >> BITS * at) for board, value in values for at in range(LEVELS)]
    counted = Counter(one for one in buckets if one[2])
    counts = session.execute(select(STANDINGS).where(STANDINGS.c.level != TOTAL))
    kept = Counter[tuple[str, int, int]]()
    for row in counts:
        kept[row.board, row.level, row.bucket] += row.amount
    if {key: count for key, count in kept.items() if count} != dict(counted):
        yield "the standings differ from the accounts"
