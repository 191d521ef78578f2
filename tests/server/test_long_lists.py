"""Answers of any length: lists are sent page by page, and a client that does not read them keeps nobody waiting."""

import json
import socket
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from http.client import HTTPException

import httpx
import pytest
from sqlalchemy import insert

import clock
from db.sql import listings
from db.sql.engine import transaction
from db.tasks.tasks import Task
from server.lanes import READERS
from tests.conftest import Person
from tests.faults import raising
from tests.operations import Operation, for_each, make_item, named, request_of
from tests.server.conftest import TODOS, raw_request, read_answer

MANY = 9
LONG = 2_000
"""So many tasks with the longest description are 20 MB, more than sockets hold."""


def is_list(operation: Operation) -> bool:
    """Check whether an operation lists things that can be made."""
    return operation.method == "GET" and operation.id.startswith("list_")


def things_in(body: object) -> list[dict[str, object]]:
    return body if isinstance(body, list) else next(one for one in body.values() if isinstance(one, list))  # type: ignore[attr-defined]


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("FIRST_ROWS", "MOST_ROWS", "FEWEST_ROWS"):
        monkeypatch.setattr(listings, name, 4)


@pytest.fixture
def many(person: Person) -> Person:
    """A person with a list of 20 MB."""
    at = clock.now()
    row = {"account_id": person.id, "title": "Long", "title_key": "long", "description": "é" * 10_000, "updated_at": at}
    with transaction(limited=False) as session:
        session.execute(insert(Task), [row | {"created_at": at + timedelta(seconds=n)} for n in range(LONG)])
    return person


@for_each(is_list)
def test_a_list_in_pages_is_the_list_at_once(operation: Operation, person: Person, monkeypatch: pytest.MonkeyPatch):
    request = request_of(operation, person)
    for number in range(MANY):
        make_another(operation, person, number)

    at_once = person.client.request(**request)
    for name in ("FIRST_ROWS", "MOST_ROWS", "FEWEST_ROWS"):
        monkeypatch.setattr(listings, name, 4)
    in_pages = person.client.request(**request)
    head = person.client.request(**{**request, "method": "HEAD"})

    assert len(things_in(at_once.json())) >= MANY
    assert in_pages.json() == at_once.json()
    assert list(in_pages.json()) == list(at_once.json())
    assert "content-length" in at_once.headers
    assert in_pages.headers["transfer-encoding"] == "chunked"
    assert (head.status_code, head.content) == (200, b"")


def test_clients_that_do_not_read_keep_nobody_waiting(
    many: Person, stranger: httpx.Client, connect: Callable[[], socket.socket]
):
    request = raw_request("GET", TODOS, f"Authorization: Bearer {many.access_token}")
    silent = [connect() for _ in range(READERS + 12)]
    for connection in silent:
        connection.sendall(request)
        assert connection.recv(16) == b"HTTP/1.1 200 OK\r"

    made = stranger.post(TODOS, json={"title": "Meanwhile"})
    read = stranger.get(f"{TODOS}/{made.json()['id']}")

    assert (made.status_code, read.status_code) == (201, 200)


def test_a_client_that_reads_slowly_gets_all(many: Person, connect: Callable[[], socket.socket]):
    connection = connect()
    connection.sendall(raw_request("GET", TODOS, f"Authorization: Bearer {many.access_token}"))

    answer = read_answer(connection)

    assert len(json.loads(answer.body)) == LONG


def test_a_list_whose_reader_is_gone_is_read_no_further(
    many: Person, connect: Callable[[], socket.socket], monkeypatch: pytest.MonkeyPatch
):
    read: list[int] = []
    read_page = listings.Pages._read
    monkeypatch.setattr(listings.Pages, "_read", lambda *of: read.append(1) or read_page(*of))
    connection = connect()
    connection.sendall(raw_request("GET", TODOS, f"Authorization: Bearer {many.access_token}"))
    assert connection.recv(16)

    connection.close()
    many.client.get(f"{TODOS}?limit=1")

    assert len(read) < LONG * 20_000 // listings.PAGE_BYTES


def test_a_list_that_breaks_off_does_not_look_complete(
    person: Person, connect: Callable[[], socket.socket], small_pages: None, monkeypatch: pytest.MonkeyPatch
):
    for number in range(MANY):
        make_another(named("list_todos"), person, number)
    monkeypatch.setattr(listings.Pages, "_rows_after", raising(RuntimeError("the database is gone")))
    connection = connect()

    connection.sendall(raw_request("GET", TODOS, f"Authorization: Bearer {person.access_token}"))

    with pytest.raises(HTTPException), suppress(ConnectionError):
        read_answer(connection)


def make_another(operation: Operation, person: Person, number: int) -> None:
    """Make a thing for a list; where names have to be unique, another one each time."""
    if operation.id in {"list_tags", "list_categories"}:
        person.client.post(operation.path, json={"name": f"Name {number}"}).raise_for_status()
    else:
        make_item(operation, person)
