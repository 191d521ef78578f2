"""That each filter of a long list has its index: both databases are asked how they would find a page."""

from datetime import date
from typing import Any

import pytest
from sqlalchemy import Connection, text, update

import clock
from db.membership import join
from db.sql.engine import autocommit, transaction
from db.sql.ownership import add
from db.tasks.categories import Category
from db.tasks.details import plain_tasks
from db.tasks.lists import Order, _listing, due_filters
from db.tasks.tasks import Task

MANY = 20_000
NEWEST_FIRST = Order("created_at", descending=True)
ONE_DAY = {name: value for name, value in due_filters(on=date(2026, 3, 1), before=None, after=None).items() if value}

NUMBERS = {
    "postgresql": "generate_series(1, :many) AS numbers (n)",
    "sqlite": "(WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :many) "
    "SELECT n FROM numbers)",
}
UUID = {"postgresql": "gen_random_uuid()", "sqlite": "lower(hex(randomblob(16)))"}
FILL = """
    INSERT INTO tasks (uuid, account_id, title, title_key, status, priority, category_id, created_at, updated_at)
    SELECT {uuid}, :owner, 'Task', 'task', CASE WHEN n % 1000 = 0 THEN 4 ELSE 1 END, 2,
           CASE WHEN n % 1000 = 1 THEN CAST(:category AS INTEGER) END, :at, :at
    FROM {numbers}
"""


@pytest.fixture(scope="module")
def filters(base_url: str) -> dict[str, Any]:
    """A value of each filter, in an account with very many tasks of which it keeps few."""
    with transaction(limited=False) as session:
        account = join(
            session, username="tracks.many", email="tracks.many@quintet.example", password_hash="unused", at=clock.now()
        )
        category = add(session, Category, {"name": "Reporting"}, owner=account.id, at=clock.now())
        name = session.get_bind().dialect.name
        fill = FILL.format(uuid=UUID[name], numbers=NUMBERS[name])
        at: Any = clock.now() if name == "postgresql" else "2026-01-01 00:00:00.000000"
        session.execute(text(fill), {"owner": account.id, "category": category.id, "at": at, "many": MANY})
    with autocommit() as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("VACUUM ANALYZE tasks"))
    return {"owner": account.id, "category_id": category.id, "status": "deferred", **ONE_DAY}


@pytest.mark.parametrize(
    ("names", "order", "index"),
    [
        (("status",), NEWEST_FIRST, "ix_tasks_of_status_newest_first"),
        (("category_id",), NEWEST_FIRST, "ix_tasks_of_category_newest_first"),
        (tuple(ONE_DAY), Order("due_date"), "ix_tasks_all_by_due_date"),
    ],
    ids=["status", "category", "due date"],
)
def test_a_page_is_found_in_the_index_of_its_filter(
    filters: dict[str, Any], names: tuple[str, ...], order: Order, index: str
):
    statement = _listing(order, names, plain_tasks).from_offset.statement
    given = {name: filters[name] for name in ("owner", *names)}

    with autocommit() as connection:
        plan = plan_of(connection, statement, **given, page_limit=20, page_offset=0)

    assert index in plan
    assert "Seq Scan" not in plan
    assert "SCAN tasks" not in plan


def test_the_tasks_of_a_category_are_found_to_take_it_off_them(filters: dict[str, Any]):
    statement = update(Task).where(Task.category_id == filters["category_id"]).values(category_id=None)

    with autocommit() as connection:
        plan = plan_of(connection, statement)

    assert "ix_tasks_of_category_newest_first" in plan


def plan_of(connection: Connection, statement: Any, **values: Any) -> str:
    word = "EXPLAIN" if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN"
    known = statement.params(values) if values else statement
    sql = known.compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    return "\n".join(str(step[-1]) for step in connection.exec_driver_sql(f"{word} {sql}"))
