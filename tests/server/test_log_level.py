"""LOG_LEVEL: the least level of what is logged."""

import logging
from collections.abc import Iterator

import pytest

from log import LEVELS, TALKATIVE, log_to_stdout, request_lines
from tests.conftest import Person, once
from tests.server.conftest import TODOS, Log
from tests.server.test_request_log import failing

pytestmark = once


@pytest.fixture
def logging_as_it_was() -> Iterator[None]:
    root, talkative = logging.getLogger(), [logging.getLogger(name) for name in TALKATIVE]
    before = root.handlers, root.level, request_lines.levels, request_lines.output
    levels = [logger.level for logger in talkative]
    yield
    root.handlers, level, request_lines.levels, request_lines.output = before
    root.setLevel(level)
    for logger, of_logger in zip(talkative, levels, strict=True):
        logger.setLevel(of_logger)


def levels_of(name: str) -> list[str]:
    logger = logging.getLogger(name)
    return [level for level in LEVELS if logger.isEnabledFor(getattr(logging, level.upper()))]


@pytest.mark.parametrize("least", LEVELS)
def test_libraries_are_logged_from_the_least_level_on(logging_as_it_was: None, least: str):
    log_to_stdout(least)

    assert levels_of("any.other.library") == list(LEVELS[LEVELS.index(least) :])


@pytest.mark.parametrize("name", ["alembic.runtime", "connexion.security", "uvicorn.error"])
@pytest.mark.parametrize(("least", "written"), [("debug", 4), ("info", 2), ("warning", 2), ("error", 1)])
def test_a_library_that_tells_of_every_request_and_start_is_heard_at_debug(
    logging_as_it_was: None, name: str, least: str, written: int
):
    log_to_stdout(least)

    assert levels_of(name) == list(LEVELS[-written:])


@pytest.mark.parametrize("least", LEVELS)
def test_requests_are_logged_at_level_info(
    logging_as_it_was: None, log: Log, person: Person, monkeypatch: pytest.MonkeyPatch, least: str
):
    log_to_stdout(least)
    monkeypatch.setattr(request_lines, "output", log)
    person.client.get(TODOS)
    monkeypatch.setattr("handlers.workspace.todos.add_task", failing)

    response = person.client.post(TODOS, json={"title": "x"})

    assert log.line_of(response.headers["x-request-id"])["level"] == "error"
    assert len(log.read) == (2 if least in ("debug", "info") else 1)
