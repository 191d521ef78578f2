"""Forged tokens, each kind of them at every place where an operation takes a token."""

import json
import re
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from settings import ROOT
from tests.conftest import HANGS_AFTER, Person, once
from tests.operations import code_in, request_of
from tests.rules.callers import DOORS, Door, for_each_door
from tests.rules.forgeries import FORGERIES, NOT_SIGNED, OF_ANOTHER_ALGORITHM, Stolen
from tests.rules.texts import TEXTS
from tests.rules.writes import watched_database
from tests.server.conftest import RawAnswer, raw_request, read_answer

MISSING = 'Bearer realm="quintet"'
INVALID = re.compile(r'Bearer realm="quintet", error="invalid_token", error_description="[^"\\]+"')

Send = Callable[[bytes], RawAnswer]


@once
@for_each_door
def test_no_forged_token_lets_a_request_in(
    door: Door, new_person: Callable[[], Person], base_url: str, database_url: str
):
    person, other = new_person(), new_person()
    request = request_of(door.operation, person)
    stolen = Stolen(door.key_of(person), door.key_of(other))
    forged = {kind: forge(stolen) for kind, forge in FORGERIES.items()}
    if door.place == "cookie":
        del forged["in quotes"]  # The quotes belong to the cookie then (RFC 6265, section 4.1.1).

    with watched_database(database_url) as was_written, connection_to(base_url) as send:
        answers = {kind: send(raw(door, request, token)) for kind, token in forged.items()}
        accepted = {kind: answer.status for kind, answer in answers.items() if not is_refused(answer, door)}
        assert (accepted, was_written()) == ({}, False)
        genuine = send(raw(door, request, stolen.token))

    by_others = {kind: answers[kind] for kind in NOT_SIGNED | OF_ANOTHER_ALGORITHM if answers[kind].status == 401}
    assert {code_in(answer.json()) for answer in by_others.values()} == {"invalid_token"}
    assert genuine.status == door.operation.success


def test_the_documentation_tells_how_many_kinds_of_forgeries_are_tried():
    told = re.sub(r"\s+", " ", (ROOT / "docs" / "security.md").read_text())

    doors = [door for door in DOORS if door.operation.contract.name in TEXTS]
    assert len(FORGERIES) >= 22
    assert f"{len(FORGERIES)} kinds of forged tokens, at each of the {len(doors)} places" in told


def is_refused(answer: RawAnswer, door: Door) -> bool:
    """Check that the token is called invalid, or is nothing that HTTP or the contract lets stand there."""
    challenge = answer.headers.get("www-authenticate", "")
    # What cannot be a cookie's value is no cookie, so there is no token.
    is_called_so = INVALID.fullmatch(challenge) or (door.place == "cookie" and challenge == MISSING)
    # A body without a token in a header may be 16 KiB.
    is_too_long = answer.status == 413 and door.place == "body"
    return answer.status in {400, 422} or is_too_long or (answer.status == 401 and bool(is_called_so))


@contextmanager
def connection_to(url: str) -> Iterator[Send]:
    """Keep a connection open for many requests, and open another where the server closes it."""
    address = (urlsplit(url).hostname or "", urlsplit(url).port or 0)
    opened = [socket.create_connection(address, timeout=HANGS_AFTER)]

    def send(raw: bytes) -> RawAnswer:
        opened[-1].sendall(raw)
        answer = read_answer(opened[-1])
        if answer.headers.get("connection") == "close":
            opened[-1].close()
            opened.append(socket.create_connection(address, timeout=HANGS_AFTER))
        return answer

    try:
        yield send
    finally:
        opened[-1].close()


def raw(door: Door, request: dict[str, Any], token: str) -> bytes:
    """Write a request with a token as it is, whatever HTTP thinks of it."""
    parts = door.parts(request, token)
    body = json.dumps(parts["json"]).encode() if "json" in parts else b""
    headers = [f"{name}: {value}" for name, value in parts.get("headers", {}).items()]
    length = [f"Content-Length: {len(body)}", "Content-Type: application/json"] if body else []
    return raw_request(request["method"], request["url"], *headers, *length, body=body)
