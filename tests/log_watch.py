"""Watches what is logged while tests run: no password, no token, no hash and no key may be in it."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import orjson
import pytest

from log import JsonLines, request_lines
from security import passwords

SHAPES = re.compile(r"eyJ[\w-]{10}|\$2[aby]\$\d\d\$")
"""How every JWT begins, and every hash of bcrypt."""

MADE_ID = re.compile(r"[0-9a-f]{32}")
ALWAYS_DIFFERENT = {"time", "ms", "account"}
OF_CLIENTS = ("httpx", "httpcore", "hypothesis", "faker")
"""Libraries that the tests use, not the server."""

LONG_ENOUGH = 8
WORD = re.compile(r"[a-z]+")


def secrets_in(text: str, *known: str) -> list[str]:
    """List what a log must not hold: tokens and hashes by their shape, and these secrets."""
    return SHAPES.findall(text) + [secret for secret in known if secret in text]


class Watch:
    """All that was logged, each line once, and all passwords that were hashed or compared meanwhile."""

    def __init__(self) -> None:
        self.lines: set[str] = set()
        self.passwords: set[str] = set()

    def see(self, line: dict[str, Any]) -> None:
        """Take a line that is about to be written, but for what differs in every line and tells nothing."""
        told = {name: value for name, value in line.items() if name not in ALWAYS_DIFFERENT}
        if MADE_ID.fullmatch(told.get("id", "")):
            del told["id"]
        self.lines.add(orjson.dumps(told).decode())

    @property
    def secrets(self) -> list[str]:
        """List the passwords that were used; words of the language may be in a log for other reasons."""
        return [one for one in self.passwords if len(one) >= LONG_ENOUGH and not WORD.fullmatch(one)]

    def leaks(self, *keys: str) -> list[str]:
        """List the secrets that were logged."""
        return secrets_in("\n".join(self.lines), *self.secrets, *keys)


class _Handler(logging.Handler):
    def __init__(self, watch: Watch) -> None:
        super().__init__()
        self.watch = watch
        self.setFormatter(JsonLines())

    def emit(self, record: logging.LogRecord) -> None:
        if not record.name.startswith(OF_CLIENTS):
            self.watch.see(orjson.loads(self.format(record)))


@contextmanager
def watched_log() -> Iterator[Watch]:
    """Watch the lines of requests, the log of libraries, and the passwords that are used."""
    watch = Watch()
    handler = _Handler(watch)
    add, prehash = request_lines.add, passwords._prehash

    def add_seen(line: dict[str, Any]) -> None:
        watch.see(line)
        add(line)

    def prehash_seen(password: str) -> bytes:
        watch.passwords.add(password)
        return prehash(password)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(request_lines, "add", add_seen)
        patch.setattr(passwords, "_prehash", prehash_seen)
        logging.getLogger().addHandler(handler)
        yield watch
        logging.getLogger().removeHandler(handler)
