"""Read an ASGI scope: what a request carries before anybody has looked at it."""

from starlette.types import Scope


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
