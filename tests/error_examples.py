"""The errors that a contract has as examples, to be held against those that the server sends."""

from typing import Any

from server.contracts import Contract

Example = tuple[str, str]
"""The component response that it stands in, and its key there; "" where it is the only one."""


def error_examples(contract: Contract) -> dict[Example, Any]:
    """List all examples of errors in a contract's component responses."""
    found: dict[Example, Any] = {}
    for name, response in contract.document["components"]["responses"].items():
        content = response["content"][contract.media_type]
        named = {key: one["value"] for key, one in content.get("examples", {}).items()}
        found |= {(name, key): value for key, value in (named or {"": content["example"]}).items()}
    return found
