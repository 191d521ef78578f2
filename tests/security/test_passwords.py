from importlib.util import find_spec, module_from_spec
from typing import Any

import bcrypt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from security import passwords
from security.errors import WeakPassword
from security.passwords import hash_password, password_matches, refuse_common

texts = st.text(st.characters(blacklist_categories=["Cs"]), max_size=300)


def test_the_real_cost_is_twelve():
    # The other tests hash cheaply, so this one loads the module anew.
    spec = find_spec("security.passwords")
    assert spec is not None
    assert spec.loader is not None
    fresh: Any = module_from_spec(spec)
    spec.loader.exec_module(fresh)

    password_hash = fresh.hash_password("Harbor-Lantern-42")

    assert password_hash.startswith("$2b$12$")
    assert password_matches("Harbor-Lantern-42", password_hash)


@settings(max_examples=20, deadline=None)
@given(texts, texts)
def test_a_hash_matches_its_own_password_alone(password: str, other: str):
    password_hash = hash_password(password)

    assert password_matches(password, password_hash)
    assert password_matches(other, password_hash) == (other == password)


@pytest.mark.parametrize(
    ("password", "other"),
    [
        ("x" * 72, "x" * 73),
        ("x" * 72 + "one", "x" * 72 + "two"),
        ("é" * 36, "é" * 37),
        ("before\0after", "before\0other"),
        ("before\0", "before"),
        ("\0", ""),
        ("p" * 1_024, "p" * 1_023),
        ("ñ" * 512, "ñ" * 511 + "n"),
        ("\N{GRINNING FACE}" * 256, "\N{GRINNING FACE}" * 255),
        ("Straße-1", "Strasse-1"),
        ("password", "Password"),
        ("trailing ", "trailing"),
    ],
)
def test_every_byte_of_a_password_counts(password: str, other: str):
    password_hash = hash_password(password)

    assert password_matches(password, password_hash)
    assert not password_matches(other, password_hash)


def test_equal_passwords_have_different_hashes():
    hashes = {hash_password("Harbor-Lantern-42") for _ in range(3)}

    assert len(hashes) == 3
    assert {len(one) for one in hashes} == {60}


@pytest.mark.parametrize("password", ["", "anything", "nobody has this password", "x" * 1_024])
def test_nobody_has_a_password(password: str):
    assert not password_matches(password, None)


def test_where_there_is_no_hash_one_is_compared_all_the_same(monkeypatch: pytest.MonkeyPatch):
    compared: list[bytes] = []
    monkeypatch.setattr(bcrypt, "hashpw", lambda *_: pytest.fail("hashing anew would take longer"))
    monkeypatch.setattr(bcrypt, "checkpw", lambda _password, password_hash: compared.append(password_hash))

    password_matches("Harbor-Lantern-42", None)

    assert [password_hash[:7] for password_hash in compared] == [f"$2b${passwords.COST:02}$".encode()]


@pytest.mark.parametrize("password", ["password", "PassWord", "12345678", "qwertyuiop", "iloveyou", "letmein"])
def test_the_commonest_passwords_are_refused_in_any_case(password: str):
    with pytest.raises(WeakPassword) as refusal:
        refuse_common(password)

    assert password.casefold() not in refusal.value.message.casefold()


@pytest.mark.parametrize("password", ["securePassword123", "Harbor-Lantern-42", "correct horse battery staple"])
def test_other_passwords_are_not(password: str):
    refuse_common(password)
