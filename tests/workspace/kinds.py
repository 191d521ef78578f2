"""The four kinds of items that the workspace contract keeps."""

from operator import attrgetter
from typing import Any, NamedTuple

import pytest

from db.personal_anchor import Achievement, FocusItem, FuturePlan
from db.sql.ownership import Owned
from db.tasks.tasks import Task
from tests.conftest import Person


class Kind(NamedTuple):
    """A kind of item, with bodies for it."""

    module: str
    path: str
    model: type[Owned]
    least: dict[str, Any]
    """The least that makes one."""
    defaults: dict[str, Any]
    """What it then is."""
    full: dict[str, Any]
    """All that can be said of one."""
    others: dict[str, Any]
    """The same members with other values."""
    longest: dict[str, Any]


SEED = "🌱"

KINDS = [
    Kind(
        "todos",
        "/api/v1/todo/todos",
        Task,
        {"title": "Renew the library card"},
        {"description": None, "due_date": None, "status": "pending", "priority": "medium", "completed_at": None},
        {"title": "Plant", "description": "Oak", "due_date": "2026-03-20", "status": "in_progress", "priority": "high"},
        {"title": "Sow", "description": "Ash", "due_date": "2024-02-29", "status": "deferred", "priority": "low"},
        {"title": SEED * 200, "description": SEED * 10_000},
    ),
    Kind(
        "achievements",
        "/api/v1/anchor/achievements",
        Achievement,
        {"title": "Mentored two junior colleagues"},
        {"description": None, "quantifiable_results": None, "core_skills_json": [], "date_achieved": None},
        {
            "title": "Moved billing",
            "description": "Without an hour of downtime",
            "quantifiable_results": "Five days became one",
            "core_skills_json": ["SQL", "Project management", "SQL"],
            "date_achieved": "2025-11-14",
        },
        {
            "title": "Moved on",
            "description": "At last",
            "quantifiable_results": "One day became none",
            "core_skills_json": ["Patience"],
            "date_achieved": "2024-02-29",
        },
        {
            "title": SEED * 200,
            "description": SEED * 10_000,
            "quantifiable_results": SEED * 10_000,
            "core_skills_json": [SEED * 200] * 100,
        },
    ),
    Kind(
        "current_focus",
        "/api/v1/anchor/current_focus",
        FocusItem,
        {"title": "Write cleaner documentation"},
        {"item_type": None, "description": None, "start_date": None, "status": None},
        {
            "title": "Learn stream processing",
            "item_type": "course",
            "description": "Two chapters a week",
            "start_date": "2026-02-16",
            "status": "just begun",
        },
        {
            "title": "Learn to rest",
            "item_type": "habit",
            "description": "One a day",
            "start_date": "2024-02-29",
            "status": "halfway through",
        },
        {"title": SEED * 200, "item_type": SEED * 50, "description": SEED * 10_000, "status": SEED * 50},
    ),
    Kind(
        "future_plans",
        "/api/v1/anchor/future_plans",
        FuturePlan,
        {"description": "Speak at a conference"},
        {"goal_type": None, "target_date": None, "status": "active"},
        {"description": "Lead a team", "goal_type": "career", "target_date": "2027-06-30", "status": "deferred"},
        {"description": "Leave a team", "goal_type": "life", "target_date": "2028-02-29", "status": "abandoned"},
        {"description": SEED * 10_000, "goal_type": SEED * 50},
    ),
]

for_each_kind = pytest.mark.parametrize("kind", KINDS, ids=attrgetter("module"))
for_each_member = pytest.mark.parametrize(
    ("kind", "member"),
    [pytest.param(kind, member, id=f"{kind.module}-{member}") for kind in KINDS for member in kind.full],
)


def create(person: Person, kind: Kind, **members: object) -> dict[str, Any]:
    response = person.client.post(kind.path, json={**kind.least, **members})
    assert response.status_code == 201
    return response.json()
