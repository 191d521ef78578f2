"""`keys`, and how the keys of the settings are used."""

from dataclasses import replace

import clock
from app import build_server
from security.key_file import is_strong, new_key
from security.tokens import SigningKey, identify
from settings import Settings
from tests.commands.conftest import Run
from tests.conftest import SECRET, Person, once
from tests.security.conftest import signing  # noqa: F401 (a fixture)

pytestmark = once


def test_a_new_key_is_strong_and_needs_no_settings(run: Run):
    keys = [run("keys", "new", DATABASE_URL="nonsense").stdout for _ in range(2)]

    assert len(set(keys)) == 2
    assert all(is_strong(key.strip(), "HS512") for key in keys)


def test_a_server_with_a_new_key_accepts_what_the_previous_one_signed(
    person: Person,
    settings: Settings,
    signing: SigningKey,  # noqa: F811
):
    build_server(replace(settings, jwt_secret_key=new_key(), jwt_previous_keys=(SECRET,)))

    assert identify(person.access_token, "access", at=clock.now()).account_id == person.id
