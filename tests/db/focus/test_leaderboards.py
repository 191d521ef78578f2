"""With many accounts, a page of a leaderboard, one's own rank and the totals read but a few rows."""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from random import Random
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import Connection, create_engine, event, func, insert, select, text

from db.accounts.accounts import Account
from db.focus.leaderboards import BY_FOCUS_TIME, BY_SESSIONS, BY_STREAK, Board, read_leaderboard
from db.focus.standings import BITS, LEVELS, SHARDS, STANDINGS, TOTAL, accounts_above, read_totals
from db.focus.stats import FocusStats, count_active
from db.schema import migrate
from db.sql.ownership import table_of
from db.sql.postgresql import AUTOCOMMIT
from db.sql.urls import driver_url

ACCOUNTS = 5_000
AT = datetime(2026, 6, 11, 12, tzinfo=UTC)
ON_BOARDS = [BY_FOCUS_TIME, BY_SESSIONS, BY_STREAK]
MOST_ROWS = LEVELS * ((1 << BITS) - 1) * SHARDS


@pytest.fixture(scope="module")
def many(new_database: Callable[[str], str]) -> Iterator[Connection]:
    """A connection to a database of its own with many accounts in it."""
    engine = create_engine(driver_url(new_database("many")), **AUTOCOMMIT)
    migrate(engine)
    with engine.connect() as connection:
        connection.execute(text("BEGIN"))
        fill(connection)
        connection.execute(text("COMMIT"))
        connection.execute(text("ANALYZE"))
        yield connection
    engine.dispose()


def fill(connection: Connection) -> None:
    random = Random(7)
    numbers = range(1, ACCOUNTS + 1)
    names = [{"id": one, "uuid": UUID(int=one), "username": f"u{one}", "email": f"u{one}@x.y"} for one in numbers]
    keys = [{**one, "username_key": one["username"], "email_key": one["email"]} for one in names]
    rest = {"password_hash": "-", "preferences": {}, "is_active": True, "created_at": AT, "updated_at": AT}
    connection.execute(insert(Account), [one | rest for one in keys])
    stats = [
        {
            "account_id": one,
            "total_focus_min": random.choice([0, random.randrange(200_000)]),
            "total_sessions": random.randrange(3_000),
            "best_streak": random.randrange(40),
            "updated_at": AT,
        }
        for one in numbers
    ]
    connection.execute(insert(table_of(FocusStats)), [{"last_streak": 0, "plant_count": 0} | one for one in stats])
    counts = Counter[tuple[str, int, int, int]]()
    for board in ON_BOARDS:
        for one in stats:
            value, shard = one[board.figure.key], one["account_id"] % SHARDS
            counts.update((board.name, level, value >> BITS * level, shard) for level in range(LEVELS))
            counts[board.name, TOTAL, 0, shard] += value
    columns = [column.name for column in STANDINGS.c]
    connection.execute(insert(STANDINGS), [dict(zip(columns, (*key, one), strict=True)) for key, one in counts.items()])


def statements_of(connection: Connection, ask: Any) -> list[tuple[str, Any]]:
    """Collect the statements that something asks of the database."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        asked.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    try:
        ask()
    finally:
        event.remove(connection, "before_cursor_execute", note)
    return asked


def hold_to_few_rows(connection: Connection, ask: Any) -> None:
    """Fail when answering looks at more rows than it shows, whatever the number of accounts."""
    for statement, parameters in statements_of(connection, ask):
        if connection.dialect.name == "sqlite":
            plan = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters).all()
            hold_sqlite_plan([step[-1] for step in plan])
        else:
            explained = f"EXPLAIN (ANALYZE, FORMAT JSON) {statement}"
            plan = connection.exec_driver_sql(explained, parameters).scalar_one()
            hold_postgresql_plan((plan if isinstance(plan, list) else json.loads(plan))[0]["Plan"])


def hold_sqlite_plan(steps: list[str]) -> None:
    # A page is read off the beginning of its index, and the sums go over few rows; all else is looked up.
    allowed = re.compile("SCAN (focus_stats USING (COVERING )?INDEX ix_focus_stats_most_|anon_1|CONSTANT ROW)")
    for step in steps:
        assert "TEMP B-TREE" not in step, steps
        assert not step.startswith("SCAN") or allowed.match(step), steps


def hold_postgresql_plan(node: dict[str, Any]) -> None:
    assert node["Node Type"] != "Seq Scan", node
    looked_at = node["Actual Rows"] * node["Actual Loops"] + node.get("Rows Removed by Filter", 0)
    assert looked_at <= MOST_ROWS, node
    for below in node.get("Plans", ()):
        hold_postgresql_plan(below)


@pytest.mark.parametrize("board", ON_BOARDS, ids=lambda board: board.name)
@pytest.mark.parametrize("owner", [1, 2_500, ACCOUNTS])
def test_a_leaderboard_and_ones_own_rank_look_at_few_rows(many: Connection, board: Board, owner: int):
    hold_to_few_rows(many, lambda: read_leaderboard(many, board, owner=owner, limit=100))


def test_the_summary_looks_at_few_rows(many: Connection):
    hold_to_few_rows(many, lambda: (read_totals(many), count_active(many, at=AT)))


@pytest.mark.parametrize("board", ON_BOARDS, ids=lambda board: board.name)
def test_ranks_are_those_that_counting_everybody_gives(many: Connection, board: Board):
    random = Random(8)
    for owner in [random.randrange(1, ACCOUNTS) for _ in range(50)]:
        shown = read_leaderboard(many, board, owner=owner, limit=1)

        own = select(board.figure).where(FocusStats.account_id == owner).scalar_subquery()
        above = select(func.count()).select_from(FocusStats).where(board.figure > own)
        assert shown.own_rank == 1 + many.scalars(above).one()


@pytest.mark.parametrize("value", [0, 1, 254, 255, 256, 257, 65_535, 65_536, 199_999, 2**31 - 1])
def test_counts_are_right_at_the_edges_of_buckets(many: Connection, value: int):
    above = select(func.count()).select_from(FocusStats).where(FocusStats.total_focus_min > value)

    assert accounts_above(many, "focus_min", value) == many.scalars(above).one()


@pytest.mark.parametrize("board", ON_BOARDS, ids=lambda board: board.name)
def test_the_top_is_ordered_by_figure_and_then_by_age(many: Connection, board: Board):
    shown = read_leaderboard(many, board, owner=1, limit=100).ranked

    everybody = many.execute(select(FocusStats.account_id, board.figure)).all()
    expected = sorted(everybody, key=lambda one: (-one[1], one[0]))[:100]
    assert [(row.uuid.int, row.figure) for _, row in shown] == [tuple(one) for one in expected]
