"""What of tracing needs none of its packages: the rest is tried by `make test-tracing`."""

import logging

import pytest

from server import tracing
from server.tracing import Seldom


def test_a_library_that_goes_on_complaining_is_heard_once_a_minute(
    caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
):
    now = 1_000.0
    monkeypatch.setattr(tracing, "monotonic", lambda: now)
    logger = logging.Logger("opentelemetry.made")
    logger.addHandler(Seldom())

    for now in (1_000.0, 1_000.1, 1_059.9, 1_060.1, 1_061.0):  # noqa: B007 (the clock that is read above)
        logger.warning("the collector is away")

    assert len(caplog.records) == 2
