"""Texts that look like others."""

import unicodedata


def full_width(text: str) -> str:
    """Write the ASCII characters of a text as wide as Chinese ones."""
    return "".join(chr(ord(one) + 0xFEE0) if "!" <= one <= "~" else one for one in text)


def decomposed(text: str) -> str:
    """Write letters and their marks as characters of their own."""
    return unicodedata.normalize("NFD", text)
