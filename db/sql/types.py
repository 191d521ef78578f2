"""Column types and the base of all models."""

from datetime import UTC, date, datetime, time
from typing import Any
from uuid import UUID

from sqlalchemy import JSON, BigInteger, DateTime, Integer, MetaData, SmallInteger, String, Text, Uuid
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.types import TypeDecorator

Id = BigInteger().with_variant(Integer, "sqlite")
"""Integer keys: 64 bits; SQLite numbers rows by itself only in columns called INTEGER."""


_FIRST = datetime.min.replace(microsecond=1, tzinfo=UTC)
_LAST = datetime.max.replace(microsecond=999_998, tzinfo=UTC)


class Instant(TypeDecorator[datetime]):
    """A moment in UTC, always aware in Python, to the microsecond in both databases."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Store UTC; SQLite has no zones, so it gets the bare UTC reading."""
        if value is None:
            return None
        # asyncpg takes the very first and the very last moment for infinities, which come back without a zone.
        finite = min(max(value, _FIRST), _LAST)
        return finite.astimezone(UTC).replace(tzinfo=None) if dialect.name == "sqlite" else finite

    def result_processor(self, dialect: Dialect, coltype: object) -> Any:
        """Leave PostgreSQL's moments alone: its drivers give them aware and, as the session's zone is UTC, in UTC."""
        return super().result_processor(dialect, coltype) if dialect.name == "sqlite" else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Make SQLite's bare reading an aware moment."""
        return value.replace(tzinfo=UTC) if value is not None else None


class Ranked(TypeDecorator[str]):
    """One of a few words that sort by meaning, not by alphabet: stored as its place in the list, from 1."""

    impl = SmallInteger
    cache_ok = True

    def __init__(self, words: tuple[str, ...]) -> None:
        # One named parameter, for by those SQLAlchemy tells apart statements whose compiled form it keeps.
        super().__init__()
        self.words = words

    def process_bind_param(self, value: str | None, dialect: Dialect) -> int | None:
        """Turn the word into its rank."""
        return None if value is None else self.words.index(value) + 1

    def process_result_value(self, value: int | None, dialect: Dialect) -> str | None:
        """Turn the rank into its word."""
        return None if value is None else self.words[value - 1]


class Base(DeclarativeBase):
    """All tables; constraints have names, so that migrations and error handling can speak of them."""

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
    """Say a day as an instant: its 23:59:59 UTC (the contracts' shared rule for due dates)."""
    return day and datetime.combine(day, time(23, 59, 59), UTC)


LongText = Text
"""Prose: a length is held by the contracts, not by the column."""

KEY = {"is_key": True}
"""Marks a column that the database compares by and nobody is shown; its `info`."""


def by_code_point(kind: String) -> String:
    """Give a text type that both databases sort alike: by code points, whatever the database's own collation is."""
    return kind.with_variant(type(kind)(kind.length, collation="C"), "postgresql")


def folded(text: str | None) -> str | None:
    """Fold a text to what it is found and sorted by regardless of case; databases fold letters differently."""
    return None if text is None else text.casefold()
