"""Column types and the base of all models."""

from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, DateTime, Integer, MetaData, SmallInteger, String, Text, Uuid
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

Id = BigInteger().with_variant(Integer, "sqlite")
"""Integer keys of 64 bits; SQLite assigns ids by itself only in columns of the type INTEGER."""


_FIRST = datetime.min.replace(microsecond=1, tzinfo=UTC)
_LAST = datetime.max.replace(microsecond=999_998, tzinfo=UTC)


class Instant(TypeDecorator[datetime]):
    """A moment in UTC, always aware in Python, to the microsecond in both databases."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Convert to UTC; SQLite has no time zones, so it stores UTC without one."""
        if value is None:
            return None
        # asyncpg turns the first and the last possible moment into infinities, which come back without a time zone.
        finite = min(max(value, _FIRST), _LAST)
        return finite.astimezone(UTC).replace(tzinfo=None) if dialect.name == "sqlite" else finite

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Skip PostgreSQL's values: because the session's time zone is UTC, its drivers return aware ones in UTC."""
        return super().result_processor(dialect, coltype) if dialect.name == "sqlite" else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Add the time zone UTC to SQLite's value."""
        return value.replace(tzinfo=UTC) if value is not None else None


class Ranked(TypeDecorator[str]):
    """One of a few words that sort by meaning, not by alphabet: stored as its place in the tuple, from 1."""

    impl = SmallInteger
    cache_ok = True

    def __init__(self, words: tuple[str, ...]) -> None:
        # SQLAlchemy caches compiled statements by the attributes that are named like parameters.
        super().__init__()
        self.words = words

    def process_bind_param(self, value: str | None, dialect: Dialect) -> int | None:
        """Turn the word into its rank."""
        return None if value is None else self.words.index(value) + 1

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Turn ranks into their words: by a look-up in C, since every row of every list has some."""
        return dict(enumerate(self.words, 1)).get


class Base(DeclarativeBase):
    """The base of all models; constraints have names, so that migrations and error handling can refer to them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {  # noqa: RUF012 (SQLAlchemy reads it as a plain class attribute)
        datetime: Instant,
        UUID: Uuid,
        str: String,
        dict[str, Any]: JSON,
        list[str]: JSON,
    }


def end_of_day(day: date | None) -> datetime | None:
    """Return the instant 23:59:59 UTC of a day (the contracts' shared rule for due dates); None for None."""
    return day and datetime.combine(day, time(23, 59, 59), UTC)


LongText = Text
"""Long texts: the contracts limit their length, the column does not."""

KEY = {"is_key": True}
"""The `info` of a column that the database only compares by, and that is never shown."""


def by_code_point(kind: String) -> String:
    """Return a text type that both databases sort by code points, whatever collation the database itself has."""
    return kind.with_variant(type(kind)(kind.length, collation="C"), "postgresql")


def folded(text: str | None) -> str | None:
    """Return a text without differences of case, to search and sort by; the two databases differ in folding case."""
    return None if text is None else text.casefold()
