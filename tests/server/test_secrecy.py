"""No error repeats what was submitted, wherever in the request it stood; and the log's watch sees what it should."""

import json
import logging
import re
from typing import Any

import httpx
import pytest

from security import passwords
from tests.conftest import Person, once
from tests.log_watch import secrets_in, watched_log
from tests.operations import Operation, for_each
from tests.server.conftest import TODOS, Log

MARKER = "Mk7q-sub.mitted"
SIGNS = ("Mk7q", "mitted")


def bodies_for(operation: Operation) -> list[bytes]:
    """Make bodies that hold the marker wherever it can be wrong."""
    values: list[Any] = [MARKER, [MARKER], {MARKER: MARKER}, [[MARKER]], MARKER * 900, f"{MARKER}\0"]
    texts = [json.dumps(dict.fromkeys(operation.members, value) | {MARKER: MARKER}) for value in values]
    texts += [json.dumps(MARKER), json.dumps([MARKER]), f'{{"{MARKER}', f"{MARKER}", f'{{"{MARKER}":1,"{MARKER}":2}}']
    return [text.encode() for text in texts] + [f'{{"x": "{MARKER}'.encode() + b'\xff"}']


def tells(response: httpx.Response) -> bool:
    told = response.text + "".join(f"{name}: {value}\n" for name, value in response.headers.items())
    return any(sign.casefold() in told.casefold() for sign in SIGNS)


@once
@for_each()
def test_no_error_repeats_what_was_submitted(client: httpx.Client, operation: Operation):
    method, path = operation.method, re.sub(r"\{[^}]+\}", MARKER, operation.path)
    query = f"?limit={MARKER}&offset={MARKER}&{MARKER}={MARKER}"
    headers = {"X-Request-ID": f"{MARKER} {MARKER}", "Origin": f"https://{MARKER}", "Content-Type": "application/json"}

    refused = [client.request(method, path + query, content=body, headers=headers) for body in bodies_for(operation)]
    refused += [
        client.request(method, path, content=b"{}", headers=headers | {"Content-Type": f"text/{MARKER}"}),
        client.request(method, path, content=b"{}", headers=headers | {"Authorization": f"Bearer {MARKER}"}),
        client.request(method, path, content=b"{}", headers=headers | {"Authorization": f"{MARKER} {MARKER}"}),
    ]

    assert [response.text for response in refused if response.is_error and tells(response)] == []
    assert any(response.is_error for response in refused)


@once
@pytest.mark.parametrize("path", [f"/{MARKER}", f"/api/v1/{MARKER}", f"/docs/{MARKER}", f"/docs/page/{MARKER}"])
@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_an_unknown_path_is_not_repeated(anonymous: httpx.Client, method: str, path: str):
    response = anonymous.request(method, f"{path}?{MARKER}={MARKER}", headers={"Origin": f"https://{MARKER}"})

    assert response.status_code in (404, 405)
    assert not tells(response)


@once
def test_a_preflight_that_is_refused_repeats_nothing(anonymous: httpx.Client):
    asked = {"Access-Control-Request-Method": MARKER, "Access-Control-Request-Headers": MARKER}

    response = anonymous.options(TODOS, headers={"Origin": f"https://{MARKER}", **asked})

    assert response.status_code == 400
    assert not tells(response)


def test_a_login_that_fails_repeats_neither_name_nor_password(anonymous: httpx.Client):
    response = anonymous.post("/api/v1/auth/login", json={"email": f"{MARKER}@x.example", "password": MARKER})

    assert response.status_code == 401
    assert not tells(response)


def test_a_registration_that_fails_repeats_nothing(anonymous: httpx.Client):
    account = {"username": MARKER, "email": f"{MARKER}@x.example", "password": f"{MARKER}-A1"}
    anonymous.post("/api/v1/auth/register", json=account)

    response = anonymous.post("/api/v1/auth/register", json=account)

    assert response.status_code == 409
    assert not tells(response)


@once
def test_all_that_is_logged_is_watched(client: httpx.Client, log: Log):
    with watched_log() as watch:
        logging.getLogger("quintet").warning("This was seen")
        client.get(TODOS, headers={"X-Request-ID": "this-one-too"})
        log.line_of("this-one-too")

    seen = "".join(watch.lines)
    assert "This was seen" in seen
    assert "this-one-too" in seen


@once
def test_the_watch_finds_tokens_hashes_and_all_passwords_that_were_used(person: Person):
    with watched_log() as watch:
        hashed = passwords.hash_password("Kept-Out-9")
    secrets = [person.access_token, person.refresh_token, hashed, "Kept-Out-9"]

    missed = [secret for secret in secrets if not secrets_in(f"Odd {secret}", *watch.secrets)]

    assert missed == []


def test_words_that_were_tried_as_passwords_may_be_logged():
    with watched_log() as watch:
        passwords.hash_password("password")

    assert secrets_in("/api/users/me/password", *watch.secrets) == []
