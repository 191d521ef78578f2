"""`purge`: on the database of a server that goes on serving."""

import re
from datetime import timedelta
from uuid import uuid4

import httpx
from sqlalchemy import update

import clock
from db.accounts.logins import Login, revoke_token
from db.accounts.refresh_chain import SpentToken
from db.sql.engine import transaction
from tests.commands.conftest import Run
from tests.conftest import Person
from tests.rules.callers import another_login


def test_it_says_what_it_deleted_and_nobody_notices(run: Run, person: Person, anonymous: httpx.Client):
    run("purge")
    ended = another_login(person, is_ended=True)
    with transaction() as session:
        revoke_token(session, jti=uuid4(), expires_at=clock.now() - timedelta(seconds=1), at=clock.now())

    done = run("purge")

    with transaction() as session:
        assert session.get(Login, ended) is None
    assert (done.exit_code, done.stderr) == (0, "")
    assert [line.split(" ", 1) for line in done.stdout.splitlines()] == [
        ["1", "ended logins deleted"],
        ["0", "expired logins deleted"],
        ["0", "old login attempts deleted"],
        ["0", "spent refresh tokens deleted"],
        ["1", "expired revoked tokens deleted"],
    ]
    assert person.client.get("/api/auth/me").status_code == 200


def test_a_refresh_token_that_comes_back_after_it_ends_its_login(run: Run, person: Person, anonymous: httpx.Client):
    again = {"refresh_token": person.refresh_token}
    first = anonymous.post("/api/auth/refresh", json=again)
    with transaction() as session:
        session.execute(update(SpentToken).values(spent_at=clock.now() - timedelta(hours=2)))

    purged = run("purge")
    reused = anonymous.post("/api/auth/refresh", json=again)

    assert first.status_code == 200
    assert re.search("^1 spent refresh tokens deleted$", purged.stdout, re.MULTILINE)
    assert reused.status_code == 401
    assert person.client.get("/api/auth/me").status_code == 401
