import json
import logging
import re
import sys
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from log import JsonLines, trace_of
from server.pages import views
from server.validation.reading import MOST_BYTES
from tests.conftest import ORIGIN, PASSWORD, Person, both, once
from tests.server.conftest import TODOS, Log, RawAnswer, assert_problem, raw_request

pytestmark = once

MADE_ID = re.compile(r"[0-9a-f]{32}")
WORDS = "Buy-the-house-at-12-Elm-Street"
GOOD_IDS = ["a", "0", "x" * 128, "3f1c5a1e-8d8b-4f5e-9d61-6a4d7c0a9b11", "A.b_c-1"]
BAD_IDS = ["", "x" * 129, "x" * 100_000, "a b", "a\tb", "a,b", 'a"b', "{}", "\xe4", "\xff\xfe", "../x", "<b>"]


@pytest.mark.parametrize("given", GOOD_IDS, ids=lambda text: text[:40])
def test_a_request_keeps_the_id_that_it_came_with(anonymous: httpx.Client, given: str):
    response = anonymous.get("/healthz", headers={"X-Request-ID": given})

    assert response.headers.get_list("x-request-id") == [given]


@pytest.mark.parametrize("given", BAD_IDS, ids=lambda text: text[:10])
def test_an_id_that_is_long_or_odd_is_replaced(exchange: Callable[[bytes], RawAnswer], given: str):
    answer = exchange(raw_request("GET", "/healthz", f"X-Request-ID: {given}"))

    assert MADE_ID.fullmatch(answer.headers["x-request-id"])


def test_of_two_ids_neither_counts(exchange: Callable[[bytes], RawAnswer]):
    answer = exchange(raw_request("GET", "/healthz", "X-Request-ID: a", "X-Request-ID: b"))

    assert MADE_ID.fullmatch(answer.headers["x-request-id"])


def test_requests_without_an_id_get_one_each(anonymous: httpx.Client):
    ids = {anonymous.get("/healthz").headers["x-request-id"] for _ in range(3)}

    assert len(ids) == 3
    assert all(MADE_ID.fullmatch(one) for one in ids)


REFUSED = {
    404: raw_request("GET", "/api/v1/nothing"),
    405: raw_request("PATCH", TODOS),
    401: raw_request("GET", TODOS),
    413: raw_request("POST", "/api/v1/auth/login", f"Content-Length: {MOST_BYTES + 1}"),
    415: raw_request("POST", "/api/v1/auth/login", "Content-Length: 2", body=b"{}"),
    414: raw_request("GET", f"/{'x' * 70_000}"),
    400: raw_request("POST", TODOS, "Content-Length: -1"),
    304: raw_request("GET", "/docs/page/page.css", "If-None-Match: *"),
    200: raw_request("OPTIONS", TODOS, f"Origin: {ORIGIN}", "Access-Control-Request-Method: GET"),
}


@pytest.mark.parametrize("status", REFUSED)
def test_every_answer_has_an_id_and_every_id_a_line(exchange: Callable[[bytes], RawAnswer], log: Log, status: int):
    answer = exchange(REFUSED[status])

    assert answer.status == status
    assert log.line_of(answer.headers["x-request-id"])["status"] == status


def test_the_line_of_a_request_tells_what_it_was_and_how_it_went(person: Person, log: Log):
    todo = person.client.post(TODOS, json={"title": WORDS}).json()

    person.client.put(f"{TODOS}/{todo['id']}?x={WORDS}", json={"title": WORDS}, headers={"X-Request-ID": "this-one"})

    line = log.line_of("this-one")
    assert line == {
        "time": line["time"],
        "level": "info",
        "id": "this-one",
        "method": "PUT",
        "route": "/api/v1/todo/todos/{todo_id}",
        "status": 200,
        "ms": line["ms"],
        "account": person.id,
    }
    assert line["ms"] > 0


def test_a_request_has_one_line(person: Person, log: Log):
    person.client.get(TODOS, headers={"X-Request-ID": "only-one"})
    person.client.get(TODOS, headers={"X-Request-ID": "the-next"})

    log.line_of("the-next")
    assert [json.loads(line)["id"] for line in log.read] == ["only-one", "the-next"]


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/api/v1/nothing", None),
        ("/nothing", None),
        ("/docs", "/docs"),
        ("/docs/page/docs.js", "/docs/<any('swagger-ui', redoc, page):source>/<path:filename>"),
    ],
)
def test_the_line_of_a_page_names_its_route_and_of_an_unknown_path_none(
    anonymous: httpx.Client, log: Log, path: str, route: str | None
):
    response = anonymous.get(path)

    line = log.line_of(response.headers["x-request-id"])
    assert (line["route"], line["account"]) == (route, None)


def test_a_refused_request_names_no_account_that_it_did_not_prove(anonymous: httpx.Client, person: Person, log: Log):
    response = anonymous.get(TODOS, headers={"Authorization": f"Bearer {person.access_token[:-2]}"})

    line = log.line_of(response.headers["x-request-id"])
    assert (line["status"], line["account"]) == (401, None)


@both
def test_neither_tokens_nor_passwords_nor_bodies_get_into_the_log(anonymous: httpx.Client, person: Person, log: Log):
    account = {"username": "kept-out", "email": "kept-out@x.example", "password": "Kept-Out-9"}
    bearer = {"Authorization": f"Bearer {person.refresh_token}"}

    anonymous.post("/api/v1/auth/register", json=account)
    pair = anonymous.post("/api/v1/auth/login", json={"email": account["email"], "password": account["password"]})
    anonymous.post("/api/v1/auth/login", json={"email": person.email, "password": f"not-{PASSWORD}"})
    anonymous.post("/api/v1/auth/refresh", headers=bearer)
    person.client.post(TODOS, json={"title": WORDS}, params={"access_token": "in-the-query"})
    person.client.post(TODOS, content=f'{{"title": "{WORDS}"'.encode(), headers={"Content-Type": "application/json"})
    person.client.post("/api/v1/auth/change-password", json={"new_password": "Changed-It-9"})
    person.client.get(TODOS, headers={"X-Request-ID": "last"})

    log.line_of("last")
    tokens = [person.access_token, person.refresh_token, *pair.json().values()]
    secrets = [*tokens, *account.values(), PASSWORD, WORDS, "Changed-It-9", "in-the-query", person.email]
    assert [secret for secret in secrets if secret in log.all_text()] == []


def failing(*_: Any, **__: Any) -> None:
    try:
        int(WORDS)
    except ValueError as error:
        raise RuntimeError(f"cannot do {WORDS}") from error


def test_what_nobody_foresaw_is_a_500_and_its_line_says_where(
    person: Person, log: Log, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("handlers.workspace.todos.add_task", failing)

    response = person.client.post(TODOS, json={"title": WORDS})

    line = log.line_of(response.headers["x-request-id"])
    assert_problem(response, 500, "internal_error")
    assert (line["level"], line["status"], line["account"]) == ("error", 500, person.id)
    assert "in create_todo" in line["error"]
    assert line["error"].endswith("RuntimeError")
    assert "builtins.ValueError" in line["error"]
    assert WORDS not in log.all_text() + response.text


@both
def test_a_row_that_the_database_refuses_is_not_told_to_the_log(
    person: Person, log: Log, monkeypatch: pytest.MonkeyPatch
):
    def without_title(body: dict[str, Any], _members: object) -> dict[str, Any]:
        return {"title": None, "description": body["description"]}

    todo = person.client.post(TODOS, json={"title": "x"}).json()
    monkeypatch.setattr("handlers.workspace.todos.renamed", without_title)

    refused = [
        person.client.post(TODOS, json={"title": "x", "description": WORDS}),
        person.client.put(f"{TODOS}/{todo['id']}", json={"description": WORDS}),
    ]

    for response in refused:
        line = log.line_of(response.headers["x-request-id"])
        assert response.status_code == 500
        assert "IntegrityError" in line["error"]
    assert WORDS not in log.all_text()


def test_a_page_that_breaks_is_a_500_like_all_others(
    anonymous: httpx.Client, log: Log, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(views, "_title_of", failing)

    response = anonymous.get("/docs/contracts.json", headers={"Origin": ORIGIN})

    line = log.line_of(response.headers["x-request-id"])
    assert_problem(response, 500, "internal_error")
    assert response.headers["access-control-allow-origin"] == ORIGIN
    assert (line["route"], line["status"]) == ("/docs/contracts.json", 500)
    assert WORDS not in log.all_text()


def test_the_log_of_libraries_is_written_in_lines_of_json_too():
    record = logging.LogRecord("uvicorn.error", logging.WARNING, "", 0, "Odd %s\nrequest", ("\ud800",), None)
    try:
        failing()
    except RuntimeError:
        record.exc_info = sys.exc_info()

    text = JsonLines().format(record)

    assert "\n" not in text
    line = json.loads(text)
    assert (line["level"], WORDS in text) == ("warning", False)
    assert line["message"].startswith("Odd ")


def test_a_trace_leaves_out_what_was_meant_to_be_left_out():
    def hide() -> None:
        try:
            failing()
        except RuntimeError:
            raise LookupError from None

    with pytest.raises(LookupError) as caught:
        hide()

    trace = trace_of(caught.value)
    assert trace.endswith("builtins.LookupError")
    assert "RuntimeError" not in trace
