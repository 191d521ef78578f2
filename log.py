"""The log: lines of JSON on standard output."""

import asyncio
import logging
import sys
from traceback import format_tb
from typing import Any, BinaryIO

import orjson

import clock
from language.texts import instant_json

LEVELS: tuple[str, ...] = ("debug", "info", "warning", "error")
"""From the least to the most urgent."""

TALKATIVE = ("alembic", "connexion", "uvicorn")
"""Libraries whose lines of level info count as debug: of each request, which has a line already, and of each start."""


class JsonLines(logging.Formatter):
    """Writes each record of a library's log as one line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """Write a record."""
        # A path of the file system may hold what is no Unicode; it must not keep the line from being written.
        message = record.getMessage().encode(errors="backslashreplace").decode()
        line = {"time": instant_json(clock.now()), "level": record.levelname.lower(), "message": message}
        if record.exc_info and record.exc_info[1]:
            line["error"] = trace_of(record.exc_info[1])
        return orjson.dumps(line).decode()


class RequestLines:
    """The lines of requests, written together once a turn of the event loop.

    Python's logging takes a dozen calls and a write for each line: measured, 8 % of a GET.
    """

    def __init__(self) -> None:
        self.output: BinaryIO | None = None
        self.levels = LEVELS
        """Of which levels lines are written."""
        self.waiting: list[bytes] = []

    def add(self, line: dict[str, Any]) -> None:
        """Write a line at the end of this turn; nowhere unless there is an output."""
        if self.output is None:
            return
        if not self.waiting:
            asyncio.get_running_loop().call_soon(self.flush)
        self.waiting.append(orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE))

    def flush(self) -> None:
        """Write what waits."""
        waiting, self.waiting = self.waiting, []
        if self.output is not None:
            self.output.write(b"".join(waiting))
            self.output.flush()


request_lines = RequestLines()


def log_to_stdout(least: str) -> None:
    """Send the log to standard output, from the least level on that is to be written, one of `LEVELS`."""
    output = logging.StreamHandler(sys.stdout)
    output.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers = [output]
    root.setLevel(least.upper())
    for name in TALKATIVE if least == "info" else ():
        logging.getLogger(name).setLevel(logging.WARNING)
    request_lines.levels = LEVELS[LEVELS.index(least) :]
    request_lines.output = sys.stdout.buffer


def trace_of(error: BaseException) -> str:
    """Return where an error was raised and of what kind it is, and the same of what led to it.

    Its message is left out: drivers, parsers and Python itself quote values there, a password among them.
    """
    kind = type(error)
    trace = f"{''.join(format_tb(error.__traceback__))}{kind.__module__}.{kind.__qualname__}"
    origin = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return trace if origin is None else f"{trace_of(origin)}\n\n{trace}"


def kinds_of(error: BaseException) -> str:
    """Name the kind of an error and of what led to it, outermost first, with the database's own codes."""
    code = getattr(error, "sqlite_errorname", None) or getattr(error, "sqlstate", None)
    kind = f"{type(error).__qualname__} {code}" if code else type(error).__qualname__
    return kind if error.__cause__ is None else f"{kind} < {kinds_of(error.__cause__)}"
