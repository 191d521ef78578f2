"""The README in parts, for the tests that hold it to what is there."""

import re

from settings import ROOT

README = (ROOT / "README.md").read_text()

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
"""A fenced block: its language and its content."""


def sections() -> dict[str, str]:
    """Return the README's sections by their titles."""
    parts = re.split(r"^## (.+)\n", README, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))
