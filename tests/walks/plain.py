"""All that one account has, as plain dictionaries, and how each contract shows it: what the server is held to."""

from calendar import monthrange
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from dateutil.relativedelta import relativedelta

Members = dict[str, Any]

WHITE_SPACE = " \t\n\v\f\r\u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200B)))
STEPS = {"daily": "days", "weekly": "weeks", "monthly": "months", "yearly": "years"}


class Seen:
    """What only the server knows beforehand, an id: whatever it is at first sight, it must stay."""

    value: Any = None

    def __eq__(self, other: object) -> bool:
        if self.value is None:
            self.value = other
        return self.value == other

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Seen({self.value!r})"


def instant_json(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")


def day_of(at: datetime | None) -> str | None:
    return at and f"{at.astimezone(UTC).date()}"


def changed(thing: Members, values: Members, at: datetime) -> None:
    """Set members, and when they were changed if any of them was another."""
    if any(thing[name] != value for name, value in values.items()):
        thing.update(values, updated_at=at)


# Tasks


def new_task(values: Members, at: datetime) -> Members:
    task: Members = {"id": Seen(), "uuid": Seen(), "description": None, "status": "pending", "priority": "medium"}
    task |= {"due_at": None, "category_id": None, "tags": [], "pattern": None, "began_on": None, "repeated": False}
    says = values.pop("pattern", None)
    pattern = says and {"id": Seen(), "number": 1, "says": says}
    return task | values | {"pattern": pattern, "completed_at": None, "created_at": at, "updated_at": at}


def task_values(contract: str, body: Members, task: Members | None, tags: dict[str, Members], at: datetime) -> Members:
    """Return what a contract's body says of a task, in the words of the plain dictionary."""
    values = {name: body[name] for name in ("title", "description", "priority", "category_id") if name in body}
    if contract == "workspace":
        values.pop("category_id", None)
    if contract == "todo":
        values = {name: values[name] for name in ("title", "description") if name in values}
        if task is not None and values.get("description") == (task["description"] or ""):
            del values["description"]
        if values.get("description") == "":
            values["description"] = None
    if contract != "todo" and "due_date" in body:
        values["due_at"] = _due_at(body["due_date"] or None, task, is_day=contract != "fullstack")
    if contract == "fullstack" and "tags" in body:
        names = [tag["name"] if isinstance(tag, dict) else tag for tag in body["tags"]]
        values["tags"] = list(dict.fromkeys(name.strip(WHITE_SPACE) for name in names))
        for name in values["tags"]:
            tags.setdefault(name, new_tag({"name": name, "color": Seen()}, at))
    if contract == "fullstack" and "recurrence_pattern" in body:
        values["pattern"] = body["recurrence_pattern"] and _pattern(body["recurrence_pattern"])
    return values


def _due_at(text: str | None, task: Members | None, *, is_day: bool) -> datetime | None:
    if text is None:
        return None
    if not is_day:
        return datetime.fromisoformat(text).astimezone(UTC)
    if task is not None and text == day_of(task["due_at"]):
        return task["due_at"]
    return datetime.combine(date.fromisoformat(text), time(23, 59, 59), UTC)


def _pattern(body: Members) -> Members:
    end = body.get("end_date")
    return {
        "pattern_type": body["pattern_type"],
        "interval": body.get("interval", 1),
        "end_date": datetime.fromisoformat(end).astimezone(UTC) if end else None,
        "occurrences_count": body.get("occurrences_count"),
    }


def change_task(task: Members, values: Members, status: str | None, at: datetime) -> Members | None:
    """Change a task, and then its status if one is given; return its next occurrence if that makes one."""
    values = dict(values)
    pattern = values.pop("pattern", None) if "pattern" in values else task["pattern"] and task["pattern"]["says"]
    if "due_at" in values and day_of(values["due_at"]) != day_of(task["due_at"]):
        task["began_on"] = None
    changed(task, values, at)
    _recur(task, pattern, at)
    if status is None or status == task["status"]:
        return None
    done = status == "completed"
    changed(task, {"status": status, "completed_at": at if done else None}, at)
    return _next_occurrence(task, at) if done else None


def _recur(task: Members, says: Members | None, at: datetime) -> None:
    before = task["pattern"] and task["pattern"]["says"]
    if says == before:
        return
    if says is None:
        task["pattern"] = None
    elif before is None:
        task["pattern"] = {"id": Seen(), "number": 1, "says": says}
    else:
        task["pattern"] |= {"says": says}
    if before is None or says is None or says["pattern_type"] != before["pattern_type"]:
        task["began_on"] = None
    task["updated_at"] = at


def _next_occurrence(task: Members, at: datetime) -> Members | None:
    if task["pattern"] is None or task["repeated"]:
        return None
    says, number, due_at = task["pattern"]["says"], task["pattern"]["number"], task["due_at"] or at
    following = _step(due_at, says, task["began_on"] or due_at.day)
    if following is None or number >= (says["occurrences_count"] or number + 1):
        return None
    if says["end_date"] is not None and following > says["end_date"]:
        return None
    task["repeated"] = True
    pattern = {"id": Seen(), "number": number + 1, "says": says}
    by_month = says["pattern_type"] in {"monthly", "yearly"}
    kept = {name: task[name] for name in ("title", "description", "priority", "category_id", "tags")}
    began_on = (task["began_on"] or due_at.day) if by_month else None
    return new_task({**kept, "due_at": following, "began_on": began_on}, at) | {"pattern": pattern}


def _step(at: datetime, says: Members, began_on: int) -> datetime | None:
    try:
        step: Any = {STEPS[says["pattern_type"]]: says["interval"]}
        following = at + relativedelta(**step)
    except (OverflowError, ValueError):
        return None
    if says["pattern_type"] not in {"monthly", "yearly"}:
        return following
    return following.replace(day=min(began_on, monthrange(following.year, following.month)[1]))


def task_json(contract: str, task: Members, tags: dict[str, Members], ids: tuple[Any, str]) -> Members:
    """Return a task as a contract shows it; `ids` are the account's."""
    done = task["status"] == "completed"
    shown = {"id": task["id"], "title": task["title"], "description": task["description"]}
    shown |= {name: instant_json(task[name]) for name in ("created_at", "updated_at")}
    if contract == "todo":
        return shown | {"user_id": ids[1], "description": task["description"] or "", "completed": done}
    shown |= {"priority": task["priority"], "completed_at": instant_json(task["completed_at"])}
    if contract == "fullstack":
        named = [{name: tags[tag][name] for name in ("id", "name", "color")} for tag in task["tags"]]
        status = {"id": task["uuid"], "status": "completed" if done else "active"}
        pattern = task["pattern"] and _pattern_json(task["pattern"])
        return shown | status | {"due_date": instant_json(task["due_at"]), "tags": named, "recurrence_pattern": pattern}
    shown |= {"user_id": ids[0], "status": task["status"], "due_date": day_of(task["due_at"])}
    return shown if contract == "workspace" else shown | {"category_id": task["category_id"]}


def _pattern_json(pattern: Members) -> Members:
    return {"id": pattern["id"], **pattern["says"], "end_date": instant_json(pattern["says"]["end_date"])}


# Tags, categories, and whatever else a change simply sets


def new_tag(values: Members, at: datetime) -> Members:
    given = {name: value for name, value in values.items() if value is not None}
    return {"id": Seen(), "color": Seen(), **given, "created_at": at, "updated_at": at}


def shown(thing: Members) -> Members:
    """Return a thing as it is shown, where that is all there is to say."""
    return {name: instant_json(one) if isinstance(one, datetime) else one for name, one in thing.items()}


def in_order(things: Iterable[Members], key: Callable[[Members], Any], *, down: bool = False) -> list[Members]:
    """Sort things, which are kept in the order of their ids; ties go by id, and those whose key is None come last."""
    kept = list(enumerate(things))
    known = [(key(thing), number, thing) for number, thing in kept if key(thing) is not None]
    unknown = [thing for _, thing in kept if key(thing) is None]
    in_order = [thing for *_, thing in sorted(known, key=lambda one: one[:2], reverse=down)]
    return in_order + (unknown[::-1] if down else unknown)


def newest_first(things: Iterable[Members]) -> list[Members]:
    return in_order(things, lambda thing: thing["created_at"], down=True)


# Focus


def days_of(sessions: Iterable[Members]) -> dict[date, tuple[int, int]]:
    """Add up the minutes and the number of completed sessions by day."""
    days: dict[date, tuple[int, int]] = {}
    for one in sessions:
        if one["completed"]:
            minutes, count = days.get(one["on"], (0, 0))
            days[one["on"]] = (minutes + one["focus_min"], count + 1)
    return days


def run_to(day: date, days: dict[date, Any]) -> int:
    """Count the consecutive days with a completed session up to a day."""
    count = 0
    while day - count * timedelta(days=1) in days:
        count += 1
    return count
