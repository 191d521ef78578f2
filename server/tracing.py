"""Traces for an OpenTelemetry collector (OTEL_EXPORTER_OTLP_ENDPOINT), by OpenTelemetry's own instrumentation.

Its packages are an extra (requirements-tracing.lock), and are imported where a collector is named alone.
"""

import logging
import os
from contextlib import suppress
from http import HTTPMethod
from importlib import import_module
from importlib.util import find_spec
from threading import Thread
from time import monotonic
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from server.version import VERSION

LAST_SPANS_SECONDS = 0.5
"""How long the end of the server waits for the collector to take the last spans."""

WARNING_SECONDS = 60
"""How often the log says that the collector does not take them."""

_NEEDED = ("opentelemetry.instrumentation.asgi", "opentelemetry.exporter.otlp.proto.http", "opentelemetry.sdk.trace")

_OF_TRACES = frozenset((b"traceparent", b"tracestate"))

_DEFAULTS = {"OTEL_SERVICE_NAME": "quintet", "OTEL_SEMCONV_STABILITY_OPT_IN": "http"}
"""What OpenTelemetry reads from the environment by itself: a name, and the conventions of today for attributes."""


class NoTracing(Exception):
    """A collector is named, and the packages that write to it are not installed."""


def check_tracing() -> None:
    """Raise `NoTracing` unless the extra is installed."""
    with suppress(ModuleNotFoundError):
        if all(find_spec(name) for name in _NEEDED):
            return
    raise NoTracing(
        "OTEL_EXPORTER_OTLP_ENDPOINT needs packages that are not installed:"
        " python -m pip install --require-hashes -r requirements-tracing.lock"
    )


class Traced:
    """Gives each request a span, in the trace that its `traceparent` names if it names one.

    The instrumentation writes down all that it finds in a request: address, headers, path and query. It is given a
    request that has none of these, so that a span holds method, route and status, and nothing of a person.
    """

    def __init__(self, app: ASGIApp, endpoint: str) -> None:
        """Begin to send spans to the collector at `endpoint`."""
        self.app = app
        self.provider = _provider(endpoint)
        middleware = import_module("opentelemetry.instrumentation.asgi").OpenTelemetryMiddleware
        self.instrumented = middleware(
            self._serve,
            tracer_provider=self.provider,
            meter_provider=import_module("opentelemetry.metrics").NoOpMeterProvider(),
            exclude_spans=["receive", "send"],
        )
        self.current_span = import_module("opentelemetry.trace").get_current_span

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; at the end of the server, send the last spans."""
        if scope["type"] != "http":
            await self.app(scope, receive, self._ending(send))
            return
        bare = {
            "type": "http",
            "method": scope["method"] if scope["method"] in HTTPMethod.__members__ else "_OTHER",
            "scheme": scope["scheme"],
            "http_version": scope["http_version"],
            "server": scope.get("server"),
            "headers": [one for one in scope["headers"] if one[0] in _OF_TRACES],
            "request": scope,
        }
        await self.instrumented(bare, receive, send)

    async def _serve(self, bare: Scope, receive: Receive, send: Send) -> None:
        scope, span = bare["request"], self.current_span()
        context = span.get_span_context()
        # For whoever comes next, the log among them, this span is where the request comes from.
        own = b"00-%032x-%016x-%02x" % (context.trace_id, context.span_id, context.trace_flags)
        others = [one for one in scope["headers"] if one[0] != b"traceparent"]
        scope["headers"] = [*others, (b"traceparent", own)]

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                _name(span, scope)
            await send(message)

        await self.app(scope, receive, send_named)

    def _ending(self, send: Send) -> Send:
        async def end(message: Message) -> None:
            if message["type"].startswith("lifespan.shutdown"):
                # A collector that hangs must not keep the process.
                last = Thread(target=self.provider.shutdown, name="last spans", daemon=True)
                last.start()
                last.join(LAST_SPANS_SECONDS)
            await send(message)

        return end


def _name(span: Any, scope: Scope) -> None:
    notes = scope["notes"]
    template = notes.endpoint.template if notes.endpoint else notes.page
    if template is not None:
        span.update_name(f"{scope['method']} {template}")
        span.set_attribute("http.route", template)
    if notes.endpoint is not None:
        span.set_attribute("quintet.operation", notes.endpoint.routing["operation_id"])


def _provider(endpoint: str) -> Any:
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
    trace = import_module("opentelemetry.sdk.trace")
    export = import_module("opentelemetry.sdk.trace.export")
    otlp = import_module("opentelemetry.exporter.otlp.proto.http.trace_exporter")
    resource = import_module("opentelemetry.sdk.resources").Resource
    logger = logging.getLogger("opentelemetry")
    logger.handlers, logger.propagate = [Seldom()], False
    provider = trace.TracerProvider(resource=resource.create({"service.version": VERSION}), shutdown_on_exit=False)
    exporter = otlp.OTLPSpanExporter(f"{endpoint.removesuffix('/')}/v1/traces")
    # It keeps 2,048 spans at most, and sends them from a thread of its own.
    provider.add_span_processor(export.BatchSpanProcessor(exporter))
    return provider


class Seldom(logging.Handler):
    """Lets a library say once a minute what is wrong: a collector that is away is away for each batch of spans."""

    silent_until = 0.0

    def emit(self, record: logging.LogRecord) -> None:
        """Log a record, unless there was one a moment ago."""
        if monotonic() >= self.silent_until:
            self.silent_until = monotonic() + WARNING_SECONDS
            logging.getLogger().handle(record)
