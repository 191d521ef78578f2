"""Fills an account with a month of made-up data, to try out every page of the documentation: `make demo`."""

import sys
from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from secrets import token_hex, token_urlsafe
from zoneinfo import ZoneInfo

from sqlalchemy import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

import clock
from db.accounts.accounts import Account
from db.errors import DomainError
from db.focus.sessions import FocusSession, add_plant, change_session
from db.focus.stats import keeping_stats
from db.membership import join
from db.personal_anchor import Achievement, FocusItem, FuturePlan, find_profile
from db.schema import SchemaError, migrate
from db.sql.engine import connect, transaction
from db.sql.ownership import add
from db.tasks.categories import Category
from db.tasks.tasks import new_task
from environment import SettingError
from private_files import make_database
from security.passwords import hash_password
from settings import Settings, read_settings

DAYS = 30
FORTNIGHT = 14
PLANTS = ("Rose", "Fern", "Sunflower", "Bonsai", "Lavender")
UTC = ZoneInfo("UTC")


NEXT_STEPS = """\
A new account with a month of sample data is in {database}:

  username  {username}
  e-mail    {email}
  password  {password}
  id        {id}

On a server with this database (make serve), log in on its home page with the username and the password: /docs then
offers the token, which is valid in all five contracts. In Todo's paths, user_id is the id above."""


def main() -> None:
    """Add the account to the database that the server would use, and print how to log in."""
    try:
        settings = read_settings()
        make_database(settings.database_file)
        migrate(connect(settings.database_url, **settings.connection_options))
        name, password = f"demo-{token_hex(3)}", token_urlsafe(12)
        with transaction(limited=False) as session:
            account = fill(session, name, password, at=clock.now())
    except (SettingError, SchemaError, DomainError, SQLAlchemyError, OSError) as error:
        sys.exit(f"quintet: {str(getattr(error, 'orig', error)).partition(chr(10))[0]}")
    print(
        NEXT_STEPS.format(
            database=_database_of(settings),
            username=account.username,
            email=account.email,
            password=password,
            id=account.uuid,
        )
    )


def _database_of(settings: Settings) -> object:
    # A URL's query can hold a password as well.
    return settings.database_file or make_url(settings.database_url).set(query={}).render_as_string(hide_password=True)


def fill(session: Session, name: str, password: str, *, at: datetime) -> Account:
    """Open an account and fill it with the data of the month that ends at an instant."""
    account = join(
        session,
        username=name,
        email=f"{name}@quintet.example",
        password_hash=hash_password(password),
        at=at - timedelta(days=DAYS + 1),
    )
    add_focus_sessions(session, account, at=at)
    add_tasks(session, account, at=at)
    add_personal_anchor(session, account, at=at)
    return account


def add_focus_sessions(session: Session, account: Account, *, at: datetime) -> None:
    """Complete sessions on most days, each with a plant; the last session is still active."""
    random = Random(account.username)
    with keeping_stats(session, owner=account.id) as stats:
        for begun_at in _beginnings(random, at):
            planned = {"duration_min": random.choice((15, 25, 25, 50))}
            one = add(session, FocusSession, planned, owner=account.id, at=begun_at)
            ended_at = begun_at + timedelta(minutes=one.duration_min or 0)
            change_session(stats, one.id, {"completed": True}, at=ended_at)
            plant = {"plant_type": random.choice(PLANTS), "growth_stage": random.randint(1, 5)}
            add_plant(one, plant, stats=stats, at=ended_at)
        add(session, FocusSession, {"duration_min": 25}, owner=account.id, at=at - timedelta(minutes=10))


def _beginnings(random: Random, at: datetime) -> Iterator[datetime]:
    midnight = at.replace(hour=0, minute=0, second=0)
    for days in range(DAYS, 0, -1):
        # The last fourteen days have no gap, so there is a streak.
        count = random.randint(0 if days > FORTNIGHT else 1, 4)
        for hour in sorted(random.sample(range(7, 20), k=count)):
            yield midnight - timedelta(days=days) + timedelta(hours=hour)
    yield at - timedelta(hours=2)


def add_tasks(session: Session, account: Account, *, at: datetime) -> None:
    """Add tasks that together use the members of all contracts."""
    garden = add(session, Category, {"name": "Garden", "color": "#059669"}, owner=account.id, at=at)
    weekly = {"pattern_type": "weekly", "interval": 1}
    tasks = (
        {"title": "Water the plants", "due_at": at + timedelta(days=1), "tags": ["home"], "recurrence": weekly},
        {"title": "Repot the bonsai", "category_id": garden.id, "due_at": at + timedelta(days=3)},
        {
            "title": "File the tax return",
            "priority": "high",
            "due_at": at - timedelta(days=2),
            "tags": ["urgent", "home"],
        },
        {"title": "Write the talk", "description": "Twenty minutes, no slides.", "status": "in_progress"},
        {"title": "Learn the accordion", "priority": "low", "status": "deferred"},
        {"title": "Buy seeds", "category_id": garden.id},
        {"title": "Call the landlord", "priority": "high", "tags": ["urgent"]},
    )
    for days, task in enumerate(reversed(tasks)):
        written = new_task(session, task, owner=account.id, at=at - timedelta(days=days))
        if days in (1, len(tasks) - 1):
            written.change({"status": "completed"}, at=at - timedelta(hours=days))


def add_personal_anchor(session: Session, account: Account, *, at: datetime) -> None:
    """Add a profile, an achievement, a focus item and a plan (workspace)."""
    profile = find_profile(session, owner=account.id, at=at)
    profile.change({"professional_title": "Gardener", "one_liner_bio": "Grows ferns and software."}, at=at)
    won = {"title": "Best fern of the town", "core_skills_json": ["patience"], "date_achieved": at.date()}
    add(session, Achievement, won, owner=account.id, at=at)
    add(session, FocusItem, {"title": "The greenhouse", "item_type": "project"}, owner=account.id, at=at)
    add(session, FuturePlan, {"description": "Open the garden to visitors"}, owner=account.id, at=at)


if __name__ == "__main__":
    main()
