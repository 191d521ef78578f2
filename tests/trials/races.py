"""Races: so many requests that want the same thing are sent at the same time, and counted by their answers.

`make races` runs each of them 500 wide against a server in a process of its own, on SQLite and on PostgreSQL; in
`make test` they are narrower (`test_races.py`). All connections are open and have carried a request before the race,
and then all requests are written before any answer is read.
"""

import argparse
import asyncio
import json
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from sqlalchemy import Engine, func, select

from db.accounts.accounts import Account
from db.accounts.logins import Login
from db.focus.sessions import FocusSession
from db.focus.stats import FocusDay, FocusStats
from db.personal_anchor import Profile
from db.tasks.categories import Category
from db.tasks.tags import Tag
from db.tasks.tasks import Task
from tests.trials.people import Somebody, database, looking_at, make_people, numbers, serving, sign_as_the_server

PASSWORD = "Harbor-Lantern-42"
DAILY = {"pattern_type": "daily"}


@dataclass(frozen=True)
class Answer:
    """A status and a body."""

    status: int
    body: Any


@dataclass
class Course:
    """Where races are run: a server, and its database to look at from outside."""

    url: str
    engine: Engine
    width: int
    statuses: Counter[int] = field(default_factory=Counter)

    def people(self, how_many: int) -> list[Somebody]:
        """Make accounts."""
        return make_people(self.engine, how_many)

    def send(self, somebody: Somebody, method: str, path: str, body: Any = None) -> Answer:
        """Send a request alone."""
        (answer,) = asyncio.run(_at_once(self.url, [request(method, path, body, somebody.token)]))
        assert answer.status < 300, answer
        return answer

    def race(self, requests: Sequence[bytes]) -> Counter[int]:
        """Send requests at the same time, and count the answers by status."""
        return Counter(answer.status for answer in self.answers(requests))

    def answers(self, requests: Sequence[bytes]) -> list[Answer]:
        """Send requests at the same time, each over a connection of its own."""
        answers = asyncio.run(_at_once(self.url, requests))
        self.statuses.update(answer.status for answer in answers)
        return answers

    def count(self, model: Any, *conditions: Any) -> int:
        """Count the rows that meet all conditions."""
        with self.engine.connect() as connection:
            return connection.scalar(select(func.count()).select_from(model).where(*conditions)) or 0

    def rows(self, statement: Any) -> Sequence[Any]:
        """Read rows."""
        with self.engine.connect() as connection:
            return connection.execute(statement).all()


def request(method: str, path: str, body: Any = None, token: str = "") -> bytes:
    """Write a request."""
    content = b"" if body is None else json.dumps(body).encode()
    lines = [f"{method} {path} HTTP/1.1", "Host: quintet.example", f"Content-Length: {len(content)}"]
    lines += ["Content-Type: application/json"] if content else []
    lines += [f"Authorization: Bearer {token}"] if token else []
    return "\r\n".join([*lines, "", ""]).encode() + content


async def _at_once(url: str, requests: Sequence[bytes]) -> list[Answer]:
    place = urlsplit(url)
    # Each from an address of its own, as of so many people: one address alone has few places among the registrations.
    own = [(f"127.0.{1 + number // 250}.{1 + number % 250}", 0) for number in range(len(requests))]
    connections = [await asyncio.open_connection(place.hostname, place.port, local_addr=one) for one in own]
    try:
        for _, writer in connections:
            writer.write(request("GET", "/healthz"))
        await asyncio.gather(*[_answer(reader) for reader, _ in connections])
        for (_, writer), wanted in zip(connections, requests, strict=True):
            writer.write(wanted)
        return list(await asyncio.gather(*[_answer(reader) for reader, _ in connections]))
    finally:
        for _, writer in connections:
            writer.close()


async def _answer(reader: asyncio.StreamReader) -> Answer:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
    _, found, rest = head.partition("content-length: ")
    body = await reader.readexactly(int(rest.partition("\r\n")[0])) if found else b""
    return Answer(int(head.split(" ", 2)[1]), json.loads(body) if body else None)


Claims = dict[str, bool]


def one_registration_wins(course: Course) -> Claims:
    name = f"wanted{next(numbers)}"
    bodies = [{"username": name, "email": f"{n}.{name}@quintet.example", "password": PASSWORD} for n in every(course)]
    statuses = course.race([request("POST", "/api/v1/auth/register", body) for body in bodies])
    return {
        "one registers": statuses[201] == course.count(Account, Account.username == name) == 1,
        "the others are refused": statuses[409] == course.width - 1,
    }


def one_renaming_wins(course: Course) -> Claims:
    name = f"wanted{next(numbers)}"
    people = course.people(course.width)
    statuses = course.race([request("PUT", "/v1/users/me", {"username": name}, one.token) for one in people])
    return {
        "one gets the name": statuses[200] == course.count(Account, Account.username == name) == 1,
        "the others are refused": statuses[400] == course.width - 1,
    }


def one_completion_is_credited(course: Course) -> Claims:
    (person,) = course.people(1)
    session = course.send(person, "POST", "/api/sessions", {"duration_min": 25}).body
    complete = request("PATCH", f"/api/sessions/{session['id']}", {"completed": True}, person.token)
    statuses = course.race([complete] * course.width)
    (stats,) = course.rows(select(FocusStats.__table__).where(FocusStats.account_id == person.id))
    return {
        "all are answered": statuses[200] == course.width,
        "one is credited": (stats.total_focus_min, stats.total_sessions) == (25, 1),
    }


def statistics_equal_their_recomputation(course: Course) -> Claims:
    (person,) = course.people(1)
    new = [request("POST", "/api/sessions", {"duration_min": n % 7}, person.token) for n in range(course.width // 2)]
    ids = [answer.body["id"] for answer in course.answers(new)]
    completions = [request("PATCH", f"/api/sessions/{one}", {"completed": True}, person.token) for one in ids]
    deletions = [request("DELETE", f"/api/sessions/{one}", None, person.token) for one in ids[::2]]
    statuses = course.race([*completions, *completions[1::2], *deletions])
    own = FocusSession.account_id == person.id, FocusSession.completed_at.is_not(None)
    ((minutes, sessions),) = course.rows(select(func.sum(FocusSession.focus_min), func.count()).where(*own))
    (stats,) = course.rows(select(FocusStats.__table__).where(FocusStats.account_id == person.id))
    (day,) = course.rows(select(FocusDay.__table__).where(FocusDay.account_id == person.id))
    return {
        "all are answered": statuses.keys() <= {200, 204, 404},
        "those that were deleted do not count": sessions == len(ids) // 2,
        "totals are those of the sessions": (stats.total_focus_min, stats.total_sessions) == (minutes, sessions),
        "so is the day": (day.focus_min, day.sessions_completed) == (minutes, sessions),
    }


def toggles_end_in_the_right_parity(course: Course) -> Claims:
    (person,) = course.people(1)
    claims: Claims = {}
    for odd in (0, 1):
        task = course.send(person, "POST", f"/api/{person.uuid}/tasks", {"title": "Water the plants"}).body
        toggle = request("PATCH", f"/api/{person.uuid}/tasks/{task['id']}/complete", None, person.token)
        statuses = course.race([toggle] * (course.width // 2 * 2 - odd))
        done = course.count(Task, Task.id == task["id"], Task.completed_at.is_not(None))
        claims["an odd number completes it" if odd else "an even number leaves it open"] = done == odd
        claims[f"all are answered ({odd})"] = statuses.keys() == {200}
    return claims


def a_task_has_one_next_occurrence(course: Course) -> Claims:
    (person,) = course.people(1)
    tags = ["home", "green"]
    task = course.send(
        person, "POST", "/v1/tasks", {"title": "Water the plants", "tags": tags, "recurrence_pattern": DAILY}
    ).body
    ((todo,),) = course.rows(select(Task.id).where(Task.uuid == UUID(task["id"])))
    doors = [
        request("PUT", f"/v1/tasks/{task['id']}", {"status": "completed"}, person.token),
        request("PATCH", f"/v1/tasks/{task['id']}/toggle-status", None, person.token),
        request("PUT", f"/api/v1/todo/todos/{todo}", {"status": "completed"}, person.token),
        request("PATCH", f"/api/{person.uuid}/tasks/{todo}/complete", {"completed": True}, person.token),
    ]
    statuses = course.race([doors[n % len(doors)] for n in every(course)])
    listed = course.send(person, "GET", "/v1/tasks").body["tasks"]
    return {
        "all are answered": statuses[200] == course.width,
        "there is one next occurrence": len(listed) == 2,
        "both have the tags": [[tag["name"] for tag in one["tags"]] for one in listed] == [tags, tags],
    }


def a_profile_is_made_once(course: Course) -> Claims:
    (person,) = course.people(1)
    answers = course.answers([request("GET", "/api/v1/anchor/profile", None, person.token)] * course.width)
    return {
        "all see the same": [one.status for one in answers] == [200] * course.width
        and all(one.body == answers[0].body for one in answers),
        "there is one": course.count(Profile, Profile.account_id == person.id) == 1,
    }


def a_category_is_made_once(course: Course) -> Claims:
    return _made_once(course, "/api/v1/categories", Category)


def a_tag_is_made_once(course: Course) -> Claims:
    return _made_once(course, "/v1/tags", Tag)


def _made_once(course: Course, path: str, model: Any) -> Claims:
    (person,) = course.people(1)
    statuses = course.race([request("POST", path, {"name": "Garden"}, person.token)] * course.width)
    return {
        "one makes it": statuses[201] == course.count(model, model.account_id == person.id) == 1,
        "the others are refused": statuses[400] == course.width - 1,
    }


def a_refresh_token_has_one_successor(course: Course) -> Claims:
    (person,) = course.people(1)
    body = {"refresh_token": person.refresh_token}
    answers = course.answers([request("POST", "/api/auth/refresh", body)] * course.width)
    return {
        "all are answered": [one.status for one in answers] == [200] * course.width,
        "all get the same one": len({one.body["refresh_token"] for one in answers}) == 1,
        "the login goes on": course.count(Login, Login.account_id == person.id, Login.ended_at.is_(None)) == 1,
    }


def every(course: Course) -> range:
    """Number the requests of a race."""
    return range(course.width)


RACES: tuple[Callable[[Course], Claims], ...] = (
    one_registration_wins,
    one_renaming_wins,
    one_completion_is_credited,
    statistics_equal_their_recomputation,
    toggles_end_in_the_right_parity,
    a_task_has_one_next_occurrence,
    a_profile_is_made_once,
    a_category_is_made_once,
    a_tag_is_made_once,
    a_refresh_token_has_one_successor,
)


def run(race: Callable[[Course], Claims], course: Course) -> Claims:
    """Run a race; that nothing fails is claimed of each."""
    course.statuses.clear()
    claims = race(course)
    return {**claims, "none fails": not any(status >= 500 for status in course.statuses)}


def main() -> int:
    """Run what the command line asks for, and return 1 when a claim does not hold."""
    options = argparse.ArgumentParser(prog="make races", description=__doc__)
    options.add_argument("--database", choices=("sqlite", "postgresql"), action="append", default=[])
    options.add_argument("--width", type=int, default=500, help="requests at the same time")
    given = options.parse_args()
    sign_as_the_server()
    lines, broken = ["| race | database | requests, by status | seconds | holds |", "|---|---|---|---|---|"], 0
    for kind in given.database or ["sqlite", "postgresql"]:
        with TemporaryDirectory() as folder, database(kind) as (url, _):
            log = Path(folder) / "server.log"
            with serving(url, log) as served, looking_at(url) as engine:
                course = Course(served.url, engine, given.width)
                for race in RACES:
                    lines.append(_line(race, kind, course))
                    print(lines[-1], flush=True)
            broken += _complaints(log)
    print("\n" + "\n".join(lines))
    return 1 if broken or any(line.endswith("**no** |") for line in lines) else 0


def _line(race: Callable[[Course], Claims], kind: str, course: Course) -> str:
    began = perf_counter()
    claims = run(race, course)
    seconds = perf_counter() - began
    wrong = [claim for claim, holds in claims.items() if not holds]
    if wrong:
        print(f"{race.__name__} on {kind}: not so: {'; '.join(wrong)}", flush=True)
    counts = ", ".join(f"{status}: {n}" for status, n in sorted(course.statuses.items()))
    return f"| {race.__name__.replace('_', ' ')} | {kind} | {counts} | {seconds:.1f} | {'**no**' if wrong else 'yes'} |"


def _complaints(log: Path) -> int:
    lines = [line for line in log.read_text().splitlines() if '"error"' in line or "database is locked" in line]
    for line in lines[:5]:
        print(line[:2_000], flush=True)
    return len(lines)


if __name__ == "__main__":
    sys.exit(main())
