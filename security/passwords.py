"""Passwords: bcrypt over a pre-hash, and the refusal of the most common ones."""

from base64 import b64encode
from hashlib import sha256

import bcrypt
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from db.accounts.accounts import refuse_taken_names
from db.sql.engine import autocommit
from security.errors import WeakPassword

COST = 12
"""Rounds of bcrypt, as a power of two (focusguard, "Security Best Practices", 1)."""

SALT_AND_HASH_LENGTH = 22 + 31

_COMMONEST = frozenset(FREQUENCY_LISTS["passwords"])


def refuse_common(password: str, *, member: str = "password") -> None:
    """Raise `WeakPassword` for one of the most common passwords, where a contract has no rule of its own.

    `member` is the name of the request body's member that holds the password.
    """
    if password.casefold() in _COMMONEST:
        raise WeakPassword(member, "is among the commonest ones")


def hash_for_new_account(password: str, *, username: str, email: str) -> str:
    """Return the hash of the password of an account that is about to be made.

    Raises `Duplicate` for a name or an address that is taken, before the time for hashing is spent.
    """
    with autocommit() as connection:
        refuse_taken_names(connection, username=username, email=email)
    return hash_password(password)


def hash_password(password: str) -> str:
    """Return the hash to store for a password; it takes about a quarter of a second."""
    return bcrypt.hashpw(_prehash(password), bcrypt.gensalt(COST)).decode()


def password_matches(password: str, password_hash: str | None) -> bool:
    """Check whether the password is the hashed one; without a hash, the answer is no after the same time."""
    matches = bcrypt.checkpw(_prehash(password), (password_hash or _nobodys_hash()).encode())
    return matches and password_hash is not None


def _prehash(password: str) -> bytes:
    # bcrypt reads at most 72 bytes and stops at NUL; 44 characters of Base64 represent a password of any length.
    return b64encode(sha256(password.encode()).digest())


def _nobodys_hash() -> str:
    # It takes as long to check as any other hash. It is written without hashing, so not even the first check is slower.
    return f"$2b${COST:02}${'.' * SALT_AND_HASH_LENGTH}"
