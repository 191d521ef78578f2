"""LOG_LEVEL: the least level of what is logged."""

import logging
from collections.abc import Iterator

import pytest

from log import LEVELS, log_to_stdout, request_lines
from tests.conftest import Person, once
from tests.server.conftest import TODOS, Log
from tests.server.test_request_log import failing

pytestmark = once


@pytest.fixture
def logging_as_it_was() -> Iterator[None]:
    root, connexion = logging.getLogger(), logging.getLogger("connexion")
    before = root.handlers, root.level, connexion.level, request_lines.levels, request_lines.output
    yield
    root.handlers, level, of_connexion, request_lines.levels, request_lines.output = before
    root.setLevel(level)
    connexion.setLevel(of_connexion)


@pytest.mark.parametrize("least", LEVELS)
def test_libraries_are_logged_from_the_least_level_on(logging_as_it_was: None, least: str):
    log_to_stdout(least)

    written = [
        level for level in LEVELS if logging.getLogger("uvicorn.error").isEnabledFor(getattr(logging, level.upper()))
    ]
    assert written == list(LEVELS[LEVELS.index(least) :])


def test_a_library_that_tells_of_each_request_is_heard_at_debug_alone(logging_as_it_was: None):
    log_to_stdout("info")

    assert not logging.getLogger("connexion.security").isEnabledFor(logging.INFO)
    assert logging.getLogger("connexion.security").isEnabledFor(logging.WARNING)


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
