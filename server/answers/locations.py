"""The header `Location` of a 201: the path at which what was just made can be read (RFC 9110, section 15.3.2)."""

from collections.abc import Callable, Mapping
from string import Formatter
from typing import Any
from urllib.parse import quote

Locator = Callable[[Any], tuple[bytes, bytes]]
"""Writes the header from the content of the answer that it goes with."""

_MEMBER = "$response.body#/"


def locator(links: Mapping[str, Any], paths: Mapping[str, Any], mount: str) -> Locator | None:
    """Build what writes the header, from the first of an answer's links that leads to a GET; None where none does.

    The link has to give each parameter of the path that it leads to, as a member of the answer's body.
    """
    reading = {methods["get"]["operationId"]: mount + path for path, methods in paths.items() if "get" in methods}
    link = next((one for one in links.values() if one["operationId"] in reading), None)
    if link is None:
        return None
    template, given = reading[link["operationId"]], link.get("parameters", {})
    names = [name for _, name, _, _ in Formatter().parse(template) if name]
    if any(not given.get(name, "").startswith(_MEMBER) for name in names):
        return None
    members = [given[name].removeprefix(_MEMBER) for name in names]
    pattern = template.format_map(dict.fromkeys(names, "%s"))

    def write(content: Any) -> tuple[bytes, bytes]:
        return b"location", (pattern % tuple([quote(str(content[one]), safe="") for one in members])).encode()

    return write
