"""How to get each error: for its code, what is wrong with a request that would succeed otherwise."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, NamedTuple
from uuid import uuid4

import httpx
import pytest

import clock
from db.accounts.refresh_chain import GRACE
from db.errors import DatabaseBusy, DatabaseFull, Unavailable
from security import quotas
from security.tokens import refresh_lifetime
from server.errors.refusals import busy
from server.validation.reading import MOST_BYTES
from tests.conftest import ORIGIN, PASSWORD, Person
from tests.faults import fail_inside
from tests.operations import Operation, bearer, make_item, named, no_item, request_of


class Scene(NamedTuple):
    """Who asks for what, whose things are not theirs, and what is changed in the server for that."""

    operation: Operation
    person: Person
    other: Person
    patch: pytest.MonkeyPatch

    def ask(self, **changes: Any) -> httpx.Response:
        """Send a request that succeeds, apart from these changes."""
        return self.person.client.request(**{**request_of(self.operation, self.person), **changes})

    def ask_for(self, item: object) -> httpx.Response:
        """Send a request that names a thing."""
        return self.person.client.request(**request_of(self.operation, self.person, item=item))

    def ask_with(self, **members: object) -> httpx.Response:
        """Send a request with these members in its body."""
        request = request_of(self.operation, self.person)
        request["json"] |= members
        return self.person.client.request(**request)


Answers = Iterator[httpx.Response]
"""One or several answers: what an error says depends on more than its code."""


def without_token(scene: Scene) -> Answers:
    del scene.person.client.headers["Authorization"]
    yield scene.ask(headers={})


def with_token(token_of: Callable[[Person], str]) -> Callable[[Scene], Answers]:
    def answers(scene: Scene) -> Answers:
        token = token_of(scene.person)
        yield scene.ask(headers=bearer(token))
        if "refresh_token" in scene.operation.members:
            yield scene.ask(json={"refresh_token": token})

    return answers


def let_pass(patch: pytest.MonkeyPatch, time: timedelta) -> None:
    """Move the clock on."""
    later = clock.now() + time
    patch.setattr(clock, "now", lambda: later)


def too_late(scene: Scene) -> Answers:
    request = request_of(scene.operation, scene.person)
    let_pass(scene.patch, refresh_lifetime())
    yield scene.person.client.request(**request)


def logged_out(scene: Scene) -> Answers:
    request = request_of(scene.operation, scene.person)
    for door, token in (("logout", scene.person.access_token), ("logout-refresh", scene.person.refresh_token)):
        scene.person.client.post(f"/api/v1/auth/{door}", headers=bearer(token))
    yield scene.person.client.request(**request)


def renewed_token(person: Person) -> str:
    """Get an access token that is not fresh."""
    renewal = person.client.post("/api/v1/auth/refresh", headers=bearer(person.refresh_token))
    return renewal.json()["access_token"]


def with_a_spent_token(scene: Scene) -> Answers:
    scene.ask()
    later = clock.now() + GRACE + timedelta(seconds=1)
    scene.patch.setattr(clock, "now", lambda: later)
    yield scene.ask()


def with_a_foreign_cookie(scene: Scene) -> Answers:
    headers = {"Cookie": f"refresh_token={scene.person.refresh_token}", "Origin": f"{ORIGIN}0", "Authorization": ""}
    yield scene.ask(headers=headers, json={})


def of_a_deleted_account(scene: Scene) -> Answers:
    request = request_of(scene.operation, scene.person)
    scene.person.close_account()
    yield scene.person.client.request(**request)


def for_what_is_the_others(scene: Scene) -> Answers:
    request = request_of(scene.operation, scene.other)
    request["headers"] = bearer(scene.person.access_token)
    yield scene.person.client.request(**request)
    if scene.operation.path_user is not None and scene.operation.item is not None:
        yield scene.ask_for(make_item(scene.operation, scene.other))


def for_what_is_not_there(scene: Scene) -> Answers:
    if scene.operation.item is not None:
        yield scene.ask_for(no_item(scene.operation))
        yield scene.ask_for(make_item(named("read_session", "focusguard"), scene.person))
    elif scene.operation.parameters:
        yield scene.person.client.get(
            scene.operation.path.format_map(dict.fromkeys(scene.operation.parameters, uuid4()))
        )
    else:
        yield scene.person.client.get(scene.operation.path)


def with_a_taken_name(scene: Scene) -> Answers:
    yield scene.ask_with(username=scene.other.username)
    yield scene.ask_with(email=scene.other.email)


def twice(scene: Scene) -> Answers:
    request = request_of(scene.operation, scene.person)
    scene.person.client.request(**request)
    yield scene.person.client.request(**request)


def reopened(scene: Scene) -> Answers:
    request = request_of(scene.operation, scene.person)
    for completed in (True, False):
        request["json"] = {"completed": completed}
        yield scene.person.client.request(**request)


def with_bad_input(scene: Scene) -> Answers:
    request = request_of(scene.operation, scene.person)
    queries = [{"params": {name: "done" if name == "status" else "0"}} for name in scene.operation.queries]
    bodies = [{"json": body} for body in ({"title": " "}, {"name": " "}, {})]
    for changed in (*queries, *bodies):
        yield scene.person.client.request(**{**request, **changed})


def with_content(content: bytes, media_type: str = "application/json") -> Callable[[Scene], Answers]:
    def answers(scene: Scene) -> Answers:
        request = request_of(scene.operation, scene.person)
        headers = {**request.get("headers", {}), "Content-Type": media_type}
        yield scene.person.client.request(request["method"], request["url"], content=content, headers=headers)

    return answers


def again_and_again(scene: Scene) -> Answers:
    for _ in range(6):
        yield scene.ask_with(password="wrong", current_password="wrong")


def past_the_quota(scene: Scene) -> Answers:
    request = request_of(scene.operation, scene.person)
    spent = quotas.Quota(limit=60, left=-1, seconds=30)

    async def take(*_: object, **__: object) -> quotas.Quota:
        return spent

    scene.patch.setattr(quotas.Quotas, "take", take)
    yield scene.person.client.request(**request)


def failing(failure: Exception) -> Callable[[Scene], Answers]:
    def answers(scene: Scene) -> Answers:
        request = request_of(scene.operation, scene.person)
        fail_inside(scene.patch, scene.operation, failure)
        yield scene.person.client.request(**request)

    return answers


CAUSES: dict[str, Callable[[Scene], Answers]] = {
    "token_missing": without_token,
    "invalid_token": with_token(lambda _: "x"),
    "token_expired": too_late,
    "token_revoked": logged_out,
    "wrong_token_kind": with_token(lambda person: person.refresh_token),
    "wrong_token_kind, for refreshing": with_token(lambda person: person.access_token),
    "token_not_fresh": with_token(renewed_token),
    "token_reused": with_a_spent_token,
    "origin_not_allowed": with_a_foreign_cookie,
    "account_not_found": of_a_deleted_account,
    "invalid_credentials": lambda scene: iter([scene.ask_with(password="wrong")]),
    "wrong_password": lambda scene: iter([scene.ask_with(current_password=f"{PASSWORD}!")]),
    "forbidden": for_what_is_the_others,
    "not_found": lambda scene: iter([scene.ask_for("abc")]),
    "username_taken": with_a_taken_name,
    "email_taken": with_a_taken_name,
    "tag_name_taken": twice,
    "category_name_taken": twice,
    "plant_exists": twice,
    "session_completed": reopened,
    "bad_input": with_bad_input,
    "malformed_json": with_content(b"{"),
    "payload_too_large": with_content(b" " * (MOST_BYTES + 1)),
    "unsupported_media_type": with_content(b"title=x", "text/plain"),
    "too_many_attempts": again_and_again,
    "too_many_requests": past_the_quota,
    "internal_error": failing(RuntimeError("broken")),
    "busy": failing(busy(retry_after=5)),
    "database_busy": failing(DatabaseBusy()),
    "database_unavailable": failing(Unavailable()),
    "database_full": failing(DatabaseFull()),
}
"""For each code how to get it; whatever ends in `_not_found` besides is gotten by asking for what is not there."""

DECIDED_WITHOUT_ROWS = {
    "token_missing",
    "invalid_token",
    "token_expired",
    "wrong_token_kind",
    "origin_not_allowed",
    "not_found",
    "bad_input",
    "malformed_json",
    "payload_too_large",
    "unsupported_media_type",
    "too_many_requests",
    "internal_error",
    "busy",
    "database_busy",
    "database_unavailable",
    "database_full",
}
"""Codes that the request or the server alone is the cause of, whatever the database holds."""


def answers_with(code: str, scene: Scene) -> Answers:
    """Provoke an error."""
    if code == "wrong_token_kind" and scene.operation.token not in {"access", "fresh"}:
        code = "wrong_token_kind, for refreshing"
    return CAUSES.get(code, for_what_is_not_there)(scene)
