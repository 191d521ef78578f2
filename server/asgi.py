"""Read an ASGI scope: what a request carries, and the notes that are taken on it on its way."""

from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Any

from starlette.types import Receive, Scope

SUBSCRIBER_BITS = 64
"""How much of an IPv6 address its network gives; the rest is its holder's own to choose."""

MOST_ADDRESS_CHARACTERS = 64

_FORWARDED = frozenset((b"x-forwarded-proto", b"x-forwarded-for", b"x-forwarded-host", b"forwarded"))

_OWN_PORTS = {"http": ":80", "https": ":443"}


@dataclass(slots=True)
class Notes:
    """What is found out about a request, for its answer and its line in the log: `scope["notes"]`."""

    id: str
    contract: Any = None
    route: Any = None
    endpoint: Any = None
    page: str | None = None
    status: int | None = None
    trace: str | None = None
    cause: str | None = None
    """What kept the database from answering; the fault is not the server's own."""
    code: str | None = None
    """The code of the error that it was answered with."""
    trace_context: tuple[str, str] | None = None
    """The ids of its trace and of a span in it (server/edge/trace_context.py)."""
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Those that any answer to this request gets, errors too."""


def client_address(scope: Scope) -> str:
    """Return whose address the request comes from: an IPv4 address, or the /64 network of an IPv6 address.

    Over a UNIX socket all clients are one, and so are those whose proxy names no address.
    """
    if not scope["client"]:
        return "local"
    address = scope["client"][0]
    return _subscriber(address) if len(address) <= MOST_ADDRESS_CHARACTERS else "unknown"


@lru_cache(4_096)
def _subscriber(address: str) -> str:
    try:
        parsed = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(parsed, IPv6Address) and parsed.ipv4_mapped is None:
        return str(IPv6Network((int(parsed), SUBSCRIBER_BITS), strict=False))
    # A socket for both versions writes an IPv4 address as ::ffff:192.0.2.1.
    return str(getattr(parsed, "ipv4_mapped", None) or parsed)


def was_forwarded(scope: Scope) -> bool:
    """Check whether a proxy has written anything about the client of a request."""
    for name, _ in scope["headers"]:  # noqa: SIM110 (`any` takes twice as long)
        if name in _FORWARDED:
            return True
    return False


def own_origin(scope: Scope) -> str:
    """Return the origin of this server's own pages, as browsers write it in `Origin` (RFC 6454, section 6.2).

    The host is the one that the client asked for, which a trusted proxy says in `X-Forwarded-Host`.
    """
    scheme, asked_for = scope["scheme"], scope.get("forwarded_host") or header(scope, b"host") or ""
    # Each of several proxies adds its own; the client's is the first.
    host = asked_for.partition(",")[0].strip().lower()
    return f"{scheme}://{host.removesuffix(_OWN_PORTS.get(scheme, ''))}"


async def hung_up(receive: Receive) -> None:
    """Return when the client has hung up."""
    while (await receive())["type"] != "http.disconnect":
        pass


def header(scope: Scope, name: bytes) -> str | None:
    """Return a request header, named in lower case; None when it is missing.

    One that is sent more than once reads as a list (RFC 9110, section 5.3), so that nobody picks the value he likes.
    """
    found = None
    for key, value in scope["headers"]:
        if key == name:
            found = value if found is None else found + b", " + value
    return found if found is None else found.decode("latin-1")
