"""Tasks in detail: each with its recurrence and its tags, read as one row by one statement."""

from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import JSON, Connection, FromClause, Select, bindparam, select
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from db.sql.ownership import read_by_uuid, shown_columns, table_of
from db.sql.prepared import Prepared
from db.tasks.recurrence import RecurrencePattern
from db.tasks.tags import Tag, task_tags
from db.tasks.tasks import Task

_TASKS, _PATTERNS, _TAGS = table_of(Task), table_of(RecurrencePattern), table_of(Tag)
_PATTERN_COLUMNS = ("uuid", "pattern_type", "interval", "end_at", "occurrences_count")


class TaskTag(NamedTuple):
    """A tag as a task shows it; `position` is its place among the task's tags."""

    position: int
    uuid: str
    name: str
    color: str


class _JsonRows(FunctionElement[Any]):
    """The rows of a query as one JSON array of arrays; each database has its own functions for that."""

    type = JSON()
    inherit_cache = True


@compiles(_JsonRows, "postgresql")
def _json_rows_of_postgresql(element: _JsonRows, compiler: SQLCompiler, **words: Any) -> str:
    return f"json_agg(json_build_array({compiler.process(element.clauses, **words)}))"


@compiles(_JsonRows, "sqlite")
def _json_rows_of_sqlite(element: _JsonRows, compiler: SQLCompiler, **words: Any) -> str:
    return f"json_group_array(json_array({compiler.process(element.clauses, **words)}))"


_TAGS_OF_TASK = (
    select(_JsonRows(task_tags.c.position, _TAGS.c.uuid, _TAGS.c.name, _TAGS.c.color))
    .select_from(task_tags.join(_TAGS))
    .where(task_tags.c.task_id == _TASKS.c.id)
    .scalar_subquery()
)


def detailed_tasks(tasks: FromClause = _TASKS) -> Select[Any]:
    """Select the tasks of a table or a join, with their members, `recurrence_…` and `tags`."""
    recurrence = [_PATTERNS.c[name].label(f"recurrence_{name}") for name in _PATTERN_COLUMNS]
    columns = (*shown_columns(Task), *recurrence, _TAGS_OF_TASK.label("tags"))
    return select(*columns).select_from(tasks.outerjoin(_PATTERNS, _PATTERNS.c.task_id == _TASKS.c.id))


def plain_tasks(tasks: FromClause = _TASKS) -> Select[Any]:
    """Select the tasks of a table or a join, with their members alone."""
    return select(*shown_columns(Task)).select_from(tasks)


_BY_UUID = Prepared(detailed_tasks().where(Task.uuid == bindparam("uuid")))


def read_detailed_task(connection: Connection, uuid: UUID, *, owner: int) -> Any:
    """Read the row of a task with its recurrence and its tags. Raises `NotFound` or `NotYours`."""
    return read_by_uuid(connection, Task, _BY_UUID, uuid, owner=owner)


def tags_of(task: Any) -> list[TaskTag]:
    """List the tags of a detailed task's row in the order in which they were named."""
    tags = sorted(TaskTag(*tag) for tag in task.tags or [])
    return [tag._replace(uuid=str(UUID(tag.uuid))) for tag in tags]
