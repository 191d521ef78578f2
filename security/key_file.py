"""Signing keys: how strong they have to be, and the file with the one that a machine makes for itself."""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from tempfile import NamedTemporaryFile

from private_files import make_folder

KEY_BYTES = {"HS256": 32, "HS384": 48, "HS512": 64}
"""The shortest key of each algorithm is as long as its hash (RFC 7518, section 3.2)."""

FEWEST_DISTINCT_CHARACTERS = 10


class BadKeyFile(Exception):
    """A key file cannot be used; the message names the file, never its content."""


def new_key() -> str:
    """Return a new random key, long enough for each algorithm."""
    return secrets.token_hex(64)


def is_strong(key: str, algorithm: str) -> bool:
    """Check whether a key is long and varied enough for an algorithm."""
    return len(key.encode()) >= KEY_BYTES[algorithm] and len(set(key)) >= FEWEST_DISTINCT_CHARACTERS


def kept_key(file: Path, algorithm: str) -> str:
    """Return the key in a file, which is made if it is not there, for its owner alone. Raises `BadKeyFile`."""
    try:
        key = _read(file) if file.exists() else _make(file)
    except (OSError, UnicodeError) as error:
        raise BadKeyFile(f"the key file {file} can be neither read nor made") from error
    if not is_strong(key, algorithm):
        raise BadKeyFile(
            f"the key file {file} holds no random text of at least {KEY_BYTES[algorithm]} bytes;"
            " delete it, and the next start makes another (everybody has to log in anew then)"
        )
    return key


def _read(file: Path) -> str:
    return file.read_text().strip()


def _make(file: Path) -> str:
    # Written beside its place and moved there whole: of two processes that start at once, neither reads half a key,
    # and both end up with the one that came first.
    make_folder(file.parent)
    with NamedTemporaryFile("w", dir=file.parent) as draft:
        draft.write(new_key())
        draft.flush()
        with suppress(FileExistsError):
            os.link(draft.name, file)
    return _read(file)
