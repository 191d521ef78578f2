"""Traces where the packages that they need are not installed; `make test-tracing` tries them where they are."""

from contextlib import suppress

import pytest

from server.tracing import NoTracing, check_tracing
from tests.conftest import HANGS_AFTER
from tests.process.conftest import Start


def test_without_the_packages_for_traces_the_start_says_so(start: Start):
    with suppress(NoTracing):
        check_tracing()
        pytest.skip("they are installed here")

    process = start(OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:4318")

    out, err = process.communicate(timeout=HANGS_AFTER)
    assert (process.returncode, out) == (1, "")
    assert err == (
        "quintet: OTEL_EXPORTER_OTLP_ENDPOINT needs packages that are not installed:"
        " python -m pip install --require-hashes -r requirements-tracing.lock\n"
    )
