"""The page /metrics: for the addresses that METRICS_ALLOW_IPS names, and to all others as if it were not there."""

from collections.abc import Callable
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

from flask import Response, abort, request
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4
from starlette.types import Scope

from server.asgi import was_forwarded
from server.metrics.metrics import Metrics


def add_metrics(server: Any, allowed: str) -> Metrics:
    """Count the requests to a server, and show what comes of it to those who are allowed."""
    metrics = Metrics(vars(server.lanes).values())
    server.app.add_url_rule("/metrics", "metrics", metrics_page(metrics, allowed))
    metrics.begin()
    return metrics


def metrics_page(metrics: Metrics, allowed: str) -> Callable[[], Response]:
    """Make the page's view; `allowed` lists addresses and networks, separated by commas.

    What came through a proxy is never answered, trusted or not: behind a balancer Prometheus would ask another server
    each time, and a proxy that says too little would open the page to everybody.
    """
    networks = [ip_network(one) for one in allowed.split(",") if one]

    def show() -> Response:
        address = _direct_address(request.environ["asgi.scope"])
        if address is None or not any(address in network for network in networks):
            abort(404)
        return Response(metrics.text(), content_type=CONTENT_TYPE_PLAIN_0_0_4)

    return show


def _direct_address(scope: Scope) -> IPv4Address | IPv6Address | None:
    if not scope["client"] or was_forwarded(scope):
        return None
    address = ip_address(scope["client"][0])
    # A socket for both versions writes an IPv4 address as ::ffff:192.0.2.1.
    return getattr(address, "ipv4_mapped", None) or address
