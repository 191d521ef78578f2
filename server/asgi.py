"""Read an ASGI scope: what a request carries, and the notes that are taken on it on its way."""

from dataclasses import dataclass, field
from typing import Any

from starlette.types import Scope


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
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    """Those that any answer to this request gets, errors too."""


def client_address(scope: Scope) -> str:
    """Return the address that the request comes from; over a UNIX socket all clients are one."""
    return scope["client"][0] if scope["client"] else "local"


def header(scope: Scope, name: bytes) -> str | None:
    """Return a request header, named in lower case; None when it is missing.

    One that is sent more than once reads as a list (RFC 9110, section 5.3), so that nobody picks the value he likes.
    """
    found = None
    for key, value in scope["headers"]:
        if key == name:
            found = value if found is None else found + b", " + value
    return found if found is None else found.decode("latin-1")
