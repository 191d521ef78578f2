import asyncio
from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import (
    JSON,
    BigInteger,
    Boolean,
    Column,
    Connection,
    Date,
    Engine,
    Integer,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    Uuid,
    bindparam,
    func,
    insert,
    literal,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.util import greenlet_spawn

from db.schema import metadata
from db.sql.engine import autocommit, disconnect, transaction
from db.sql.prepared import Prepared
from db.sql.types import Id, Instant, Ranked

SAMPLES = Table(
    "samples",
    MetaData(),
    Column("id", Id, primary_key=True),
    Column("number", Integer),
    Column("small", SmallInteger),
    Column("word", String(200), unique=True),
    Column("prose", Text),
    Column("key", Uuid),
    Column("moment", Instant),
    Column("day", Date),
    Column("rank", Ranked(("low", "medium", "high"))),
    Column("truth", Boolean),
    Column("content", JSON),
)
EAST = timezone(timedelta(hours=14))
ROWS = [
    {
        "id": 1,
        "number": -(2**31),
        "small": 2**15 - 1,
        "word": "Grüße, 世界 \N{WATER WAVE} ' \" \\ % :name $1 ?",
        "prose": "",
        "key": UUID(int=0),
        "moment": datetime(1, 1, 2, 0, 0, 0, 1, tzinfo=EAST),
        "day": date.min,
        "rank": "low",
        "truth": True,
        "content": {"a": [1, 2.5, None, {"b": "ü"}], "big": 2**53, "": ""},
    },
    {
        "id": 2**63 - 1,
        "number": 2**31 - 1,
        "small": -(2**15),
        "word": "",
        "prose": "long\n" * 2_000,
        "key": UUID(int=2**128 - 1),
        "moment": datetime(9999, 12, 31, 23, 59, 59, 999_998, tzinfo=UTC),
        "day": date.max,
        "rank": "high",
        "truth": False,
        "content": [],
    },
    {"id": 3, **dict.fromkeys([column.name for column in SAMPLES.columns if column.name != "id"])},
]
ADD = Prepared(insert(SAMPLES).returning(SAMPLES), sets=[column.name for column in SAMPLES.columns])
LIST = Prepared(select(SAMPLES).order_by(SAMPLES.c.id))
ADD_WORD = Prepared(insert(SAMPLES).returning(SAMPLES.c.id), sets=["id", "word"])

ALIVE = Prepared(select(literal(1).label("alive")))
DYING = Prepared(select(func.pg_terminate_backend(func.pg_backend_pid()).label("ended")))
SLEEPING = Prepared(select(func.pg_sleep(30).label("slept")))
ISOLATION = Prepared(
    select(
        func.current_setting("transaction_isolation", type_=String).label("level"),
        func.pg_current_xact_id().cast(String).label("transaction"),
    )
)
ON_POSTGRESQL = pytest.mark.on("postgresql")


@pytest.fixture
def samples(own_engine: Engine) -> Iterator[None]:
    """An empty table with a column of every type that the models have."""
    SAMPLES.create(own_engine)
    yield
    SAMPLES.drop(own_engine)


Everywhere = Callable[[Callable[[], Any]], list[Any]]


def test_the_samples_have_every_type_of_the_models():
    types = {type(column.type) for table in metadata.tables.values() for column in table.columns}

    assert types <= {type(column.type) for column in SAMPLES.columns} | {BigInteger}


def test_rows_are_the_same_as_those_that_sqlalchemy_reads(samples: None, everywhere: Everywhere):
    def work() -> None:
        with autocommit() as connection:
            connection.execute(SAMPLES.delete())
            connection.execute(insert(SAMPLES), ROWS)

            ours = LIST.rows(connection)
            theirs = connection.execute(select(SAMPLES).order_by(SAMPLES.c.id)).all()

        assert [list(row) for row in ours] == [list(row) for row in theirs]
        assert [[type(value) for value in row] for row in ours] == [[type(value) for value in row] for row in theirs]
        assert [row._asdict() for row in ours] == [dict(row._mapping) for row in theirs]
        assert [row._asdict() for row in ours] == sorted(ROWS, key=lambda row: row["id"])

    everywhere(work)


def test_rows_are_written_as_sqlalchemy_writes_them(samples: None, everywhere: Everywhere):
    def work() -> None:
        with autocommit() as connection:
            connection.execute(SAMPLES.delete())

            ours = [row for values in ROWS for row in ADD.rows(connection, **values)]
            theirs = connection.execute(select(SAMPLES)).all()

        assert [row._asdict() for row in ours] == ROWS
        assert {row.id: dict(row._mapping) for row in theirs} == {row["id"]: row for row in ROWS}

    everywhere(work)


def test_every_type_can_be_asked_for(samples: None, everywhere: Everywhere):
    comparable = [column for column in SAMPLES.columns if not isinstance(column.type, JSON)]
    questions = {column.name: Prepared(select(SAMPLES.c.id).where(column == bindparam("one"))) for column in comparable}

    def work() -> None:
        with autocommit() as connection:
            connection.execute(SAMPLES.delete())
            connection.execute(insert(SAMPLES), ROWS)

            found = {name: question.rows(connection, one=ROWS[0][name]) for name, question in questions.items()}

        assert found == {name: [(1,)] for name in questions}

    everywhere(work)


def test_values_that_stand_in_the_statement_need_not_be_given(samples: None, everywhere: Everywhere):
    fixed = Prepared(select(SAMPLES.c.id).where(SAMPLES.c.rank == "high", SAMPLES.c.number == bindparam("number")))

    def work() -> Any:
        with autocommit() as connection:
            connection.execute(SAMPLES.delete())
            connection.execute(insert(SAMPLES), ROWS)
            return fixed.rows(connection, number=2**31 - 1), fixed.first(connection, number=0)

    assert {(rows[0].id, nothing) for rows, nothing in everywhere(work)} == {(2**63 - 1, None)}


def test_a_change_can_tell_what_it_changed(samples: None, everywhere: Everywhere):
    rank = update(SAMPLES).where(SAMPLES.c.id == bindparam("which")).values(rank=bindparam("new_rank"))
    change = Prepared(rank.returning(SAMPLES.c.id, SAMPLES.c.rank))

    def work() -> Any:
        with autocommit() as connection:
            connection.execute(SAMPLES.delete())
            connection.execute(insert(SAMPLES), ROWS)
            return change.rows(connection, which=1, new_rank="medium"), change.rows(connection, which=7, new_rank="low")

    assert everywhere(work) == [([(1, "medium")], [])] * len(everywhere(work))


def test_a_missing_value_is_told_before_anything_is_asked(samples: None, everywhere: Everywhere):
    def work() -> None:
        with autocommit() as connection, pytest.raises(KeyError, match="word"):
            ADD_WORD.rows(connection, id=1)

    everywhere(work)


def test_a_broken_constraint_is_sqlalchemys_error(samples: None, everywhere: Everywhere):
    def work() -> None:
        with autocommit() as connection:
            connection.execute(SAMPLES.delete())
            ADD_WORD.first(connection, id=1, word="taken")

            with pytest.raises(IntegrityError, match=r"samples\.word|samples_word_key") as refusal:
                ADD_WORD.first(connection, id=2, word="taken")

            assert not refusal.value.connection_invalidated
            assert ADD_WORD.first(connection, id=2, word="free") == (2,)

    everywhere(work)


def test_a_wrong_statement_is_sqlalchemys_error(everywhere: Everywhere):
    missing = Prepared(select(Table("missing", MetaData(), Column("id", Integer))))

    def work() -> None:
        with autocommit() as connection, pytest.raises(DBAPIError, match="missing") as refusal:
            missing.rows(connection)

        assert isinstance(refusal.value, ProgrammingError) or "no such table" in str(refusal.value)

    everywhere(work)


@ON_POSTGRESQL
@pytest.mark.parametrize(
    ("statement", "values"),
    [
        (insert(SAMPLES).values(id=bindparam("one"), word="taken"), {"one": 2}),
        (insert(SAMPLES).values(id=bindparam("one")), {"one": None}),
        (select(func.mod(SAMPLES.c.id, bindparam("one", type_=Integer)).label("rest")), {"one": 0}),
        (select(SAMPLES.c.id).where(SAMPLES.c.number == bindparam("one")), {"one": "no number"}),
        (select(SAMPLES.c.id).where(SAMPLES.c.number == bindparam("one")), {"one": 2**31}),
        (select(Table("missing", MetaData(), Column("id", Integer))), {}),
        (select(func.missing(bindparam("one", type_=Integer)).label("called")), {"one": 1}),
    ],
)
def test_every_error_is_the_one_that_sqlalchemy_raises(
    samples: None, everywhere: Everywhere, statement: Any, values: dict[str, Any]
):
    question = Prepared(statement)

    def work() -> None:
        with autocommit() as connection:
            connection.execute(SAMPLES.delete())
            ADD_WORD.first(connection, id=1, word="taken")

            with pytest.raises(DBAPIError) as ours:
                question.rows(connection, **values)
            with pytest.raises(DBAPIError) as theirs:
                connection.execute(statement, values)

        assert told_by(ours.value) == told_by(theirs.value)

    everywhere(work)


def told_by(error: DBAPIError) -> list[Any]:
    """List all that an error tells, but for how SQLAlchemy names the statement's parameters."""
    cause = getattr(error.orig, "__cause__", None)
    state = getattr(error.orig, "sqlstate", None)
    return [type(error), type(error.orig), str(error.orig), type(cause), state, error.connection_invalidated]


def test_in_a_transaction_it_is_part_of_it(samples: None, everywhere: Everywhere):
    def work() -> Any:
        with autocommit() as connection:
            connection.execute(SAMPLES.delete())
        with pytest.raises(IntegrityError):
            add_words("taken back", "taken back")
        add_words("kept")
        with autocommit() as connection:
            return connection.execute(select(SAMPLES.c.word)).scalars().all()

    assert [word for words in everywhere(work) for word in words if word != "kept"] == []


@ON_POSTGRESQL
def test_in_a_transaction_it_may_be_what_begins_it(samples: None, everywhere: Everywhere):
    def work() -> Any:
        with transaction() as session:
            (first,) = ISOLATION.rows(session.connection())
            second = session.execute(text("SELECT pg_current_xact_id()::text")).scalar_one()
            return first.level, first.transaction == second

    assert everywhere(work) == [("read committed", True)] * 2


@ON_POSTGRESQL
@pytest.mark.parametrize("when", ["before", "meanwhile"])
def test_a_connection_that_died_is_told_and_replaced(when: str, own_engine: Engine, everywhere: Everywhere):
    question = {"before": ALIVE, "meanwhile": DYING}[when]

    def work() -> None:
        with autocommit() as dying, autocommit() as other:
            if when == "before":
                end_backend(other, dying)

            with pytest.raises(DBAPIError) as refusal:
                question.rows(dying)

            assert refusal.value.connection_invalidated
            assert dying.invalidated
        with autocommit() as connection:
            assert ALIVE.first(connection) == (1,)

    everywhere(work)


@ON_POSTGRESQL
def test_whatever_waits_in_the_pool_beside_a_dead_connection_is_made_anew(everywhere: Everywhere):
    def work() -> None:
        with autocommit() as waiting:
            before = backend_of(waiting)
            with autocommit() as dying, pytest.raises(DBAPIError):
                DYING.rows(dying)
        with autocommit() as connection:
            assert backend_of(connection) != before

    everywhere(work)


@ON_POSTGRESQL
def test_who_gives_up_waiting_leaves_a_connection_that_can_be_used(own_engine: Engine):
    def work() -> None:
        with autocommit() as connection:
            SLEEPING.rows(connection)

    async def give_up() -> Any:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(greenlet_spawn(work), 0.1)
        return await greenlet_spawn(alive)

    assert asyncio.run(closing(give_up)) == (1,)


def alive() -> Any:
    with autocommit() as connection:
        return ALIVE.first(connection)


async def closing(work: Callable[[], Awaitable[Any]]) -> Any:
    try:
        return await work()
    finally:
        await greenlet_spawn(disconnect)


def backend_of(connection: Connection) -> int:
    return connection.execute(text("SELECT pg_backend_pid()")).scalar_one()


def add_words(*words: str) -> None:
    with transaction() as session:
        for number, word in enumerate(words):
            ADD_WORD.first(session.connection(), id=number, word=word)


def end_backend(killer: Connection, victim: Connection) -> None:
    ends = text("SELECT pg_terminate_backend(:number, 5000)")
    killer.execute(ends, {"number": backend_of(victim)})
