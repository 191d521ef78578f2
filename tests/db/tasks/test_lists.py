"""That a page of a long list costs no more than one of a short list: both databases are asked for their plans."""

import re
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, Executable, text

import clock
from db.membership import join
from db.sql.engine import autocommit, transaction
from db.tasks.lists import Order, _counting, _listing, part_of_tasks

MANY = 20_000

ON_POSTGRESQL = """
    INSERT INTO tasks (uuid, account_id, title, title_key, description, description_key, status, priority, due_at,
                       completed_at, created_at, updated_at)
    SELECT gen_random_uuid(), :owner, 'Task ' || n, 'task ' || n, 'Words', 'words',
           CASE WHEN n % 2 = 0 THEN 3 ELSE 1 END, n % 3 + 1, CASE WHEN n % 5 > 0 THEN :at + n * interval '1 hour' END,
           CASE WHEN n % 2 = 0 THEN :at END, :at + n * interval '1 second', :at
    FROM generate_series(1, :many) AS numbers (n)
"""
ON_SQLITE = """
    WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < :many)
    INSERT INTO tasks (uuid, account_id, title, title_key, description, description_key, status, priority, due_at,
                       completed_at, created_at, updated_at)
    SELECT lower(hex(randomblob(16))), :owner, 'Task ' || n, 'task ' || n, 'Words', 'words',
           CASE WHEN n % 2 = 0 THEN 3 ELSE 1 END, n % 3 + 1,
           CASE WHEN n % 5 > 0 THEN strftime('%Y-%m-%d %H:%M:%S.000000', :at, n || ' hours') END,
           CASE WHEN n % 2 = 0 THEN :at END, strftime('%Y-%m-%d %H:%M:%S.000000', :at, n || ' seconds'), :at
    FROM numbers
"""

INDEX_ALONE = re.compile("Index Only Scan ix_tasks|COVERING INDEX ix_tasks|INDEX ix_tasks_(open|completed)")
ORDERS = [Order(column, way) for column in ("created_at", "due_date", "priority", "title") for way in (False, True)]
FILTERS = [(*part, *priority) for part in ((), ("is_open",), ("is_completed",)) for priority in ((), ("priority",))]

GATHERED_BY = {
    ("status",): "ix_tasks_of_status_newest_first",
    ("category_id",): "ix_tasks_of_category_newest_first",
    ("due_from", "due_until"): "ix_tasks_all_by_due_date",
}
SAMPLE = {
    "status": "pending",
    "category_id": 1,
    "due_from": datetime(2027, 3, 1, tzinfo=UTC),
    "due_until": datetime(2027, 3, 2, tzinfo=UTC),
}


@pytest.fixture(scope="module")
def owner(base_url: str) -> int:
    """An account with very many tasks, which is not the only one."""
    owners = [account_with_many_tasks(f"has.many.tasks.{n}") for n in range(3)]
    with autocommit() as connection:
        if on_postgresql(connection):
            # There the autovacuum does it in time; SQLite plans without knowing how many rows there are.
            connection.execute(text("VACUUM ANALYZE tasks"))
    return owners[0]


def account_with_many_tasks(name: str) -> int:
    with transaction(limited=False) as session:
        account = join(session, username=name, email=f"{name}@quintet.example", password_hash="unused", at=clock.now())
        fill, at = (
            (ON_POSTGRESQL, clock.now()) if on_postgresql(session.connection()) else (ON_SQLITE, "2026-01-01 00:00:00")
        )
        session.execute(text(fill), {"owner": account.id, "at": at, "many": MANY})
        return account.id


def on_postgresql(connection: Connection) -> bool:
    return connection.dialect.name == "postgresql"


@pytest.mark.parametrize("filters", FILTERS, ids=lambda filters: "-".join(filters) or "all")
@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.column + ("-down" if order.descending else ""))
def test_a_page_is_found_in_the_index_of_its_order(owner: int, order: Order, filters: tuple[str, ...]):
    statement = _listing(order, filters).from_offset.statement

    with autocommit() as connection:
        steps = steps_of_page(connection, statement, owner=owner, page_limit=100, page_offset=0, priority="high")

    assert len(steps) == 1, f"the page is not read off an index: {steps}"
    assert index_for(order, filters) in steps[0].split()


@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.column + ("-down" if order.descending else ""))
def test_the_next_page_begins_within_the_index_of_its_order(owner: int, order: Order):
    listing = _listing(order, ("is_open",))
    (task,) = next(listing.pages(owner=owner, limit=1, offset=MANY // 4))
    _, keys = listing.stretches[0]
    after = {f"after_{key.name}": getattr(task, key.name) for key in keys}

    with autocommit() as connection:
        statement = listing.statement(0, goes_on=True).statement
        steps = steps_of_page(connection, statement, owner=owner, page_limit=100, page_offset=0, **after)

    # The index is entered at the last row, not at the account's first one.
    assert len(steps) == 1, f"the page is not read off an index: {steps}"
    assert "ix_tasks_open_by" in steps[0]
    assert re.search(rf"\b{keys[0].name}\b.* ?[<>]", steps[0]), steps


@pytest.mark.parametrize("filters", FILTERS, ids=lambda filters: "-".join(filters) or "all")
def test_tasks_are_counted_in_an_index(owner: int, filters: tuple[str, ...]):
    statement = _counting(filters).statement

    with autocommit() as connection:
        steps = steps_of(connection, statement, owner=owner, priority="high")

    # SQLite reads no rows for what a partial index implies, but calls it covering only when it has the column too.
    assert INDEX_ALONE.search(steps[-1]), f"tasks are counted in {steps}"


@pytest.mark.parametrize("filters", GATHERED_BY, ids="-".join)
def test_few_tasks_are_gathered_in_the_index_of_a_filter(owner: int, filters: tuple[str, ...]):
    statement = _listing(ORDERS[0], filters, gathered=True).from_offset.statement

    with autocommit() as connection:
        steps = steps_of(connection, statement, owner=owner, page_limit=100, page_offset=0, **SAMPLE)

    assert any(GATHERED_BY[filters] in step for step in steps), f"tasks are gathered in {steps}"


@pytest.mark.parametrize("filters", [("status",), ("due_from", "due_until")], ids="-".join)
@pytest.mark.parametrize("order", ORDERS, ids=lambda order: order.column + ("-down" if order.descending else ""))
def test_gathered_or_found_along_the_order_the_page_is_the_same(
    owner: int, order: Order, filters: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
):
    pages = []

    for few in (MANY, 0):
        monkeypatch.setattr("db.tasks.lists.FEW", few)
        with autocommit() as connection:
            given = {name: SAMPLE[name] for name in filters}
            part = part_of_tasks(connection, order, given, owner=owner, limit=7, offset=2)
        pages.append((next(part.rows), part.total))

    assert pages[0] == pages[1]
    assert pages[0][1] > 9


def index_for(order: Order, filters: tuple[str, ...]) -> str:
    part = {"is_open": "open", "is_completed": "completed"}.get(filters[0] if filters else "", "all")
    if "priority" in filters and order.column == "created_at":
        return f"ix_tasks_{part}_by_priority"
    latest = "_latest" if order == Order("due_date", descending=True) else ""
    name = f"ix_tasks_{part}_by_{order.column}{latest}"
    return "ix_tasks_newest_first" if name == "ix_tasks_all_by_created_at" else name


def explained(connection: Connection, statement: Any, **values: Any) -> list[Any]:
    word = "EXPLAIN (FORMAT JSON)" if on_postgresql(connection) else "EXPLAIN QUERY PLAN"
    wanted = {name: value for name, value in values.items() if name in statement.compile(connection).params}
    sql = statement.params(wanted).compile(dialect=connection.dialect, compile_kwargs={"literal_binds": True})
    return list(connection.exec_driver_sql(f"{word} {sql}"))


def steps_of(connection: Connection, statement: Executable, **values: Any) -> list[str]:
    """Describe the steps of a plan, outermost first."""
    plan = explained(connection, statement, **values)
    if not on_postgresql(connection):
        return [step.detail for step in plan]
    return [described(node) for node in nodes_of(plan[0][0][0]["Plan"])]


def steps_of_page(connection: Connection, statement: Executable, **values: Any) -> list[str]:
    """Describe the steps that find the page, before anything is read of the tasks on it."""
    plan = explained(connection, statement, **values)
    if not on_postgresql(connection):
        (page,) = [step.id for step in plan if step.detail == "MATERIALIZE page"]
        return [step.detail for step in plan if step.parent == page]
    (limit,) = [node for node in nodes_of(plan[0][0][0]["Plan"]) if node["Node Type"] == "Limit"]
    return [described(node) for node in nodes_of(limit)[1:]]


def nodes_of(node: dict[str, Any]) -> list[dict[str, Any]]:
    return [node, *(below for part in node.get("Plans", []) for below in nodes_of(part))]


def described(node: dict[str, Any]) -> str:
    return f"{node['Node Type']} {node.get('Index Name', '')} {node.get('Index Cond', '')}"
