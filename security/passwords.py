"""Passwords: bcrypt over a pre-hash, and the refusal of the commonest ones."""

from base64 import b64encode
from hashlib import sha256

import bcrypt
from zxcvbn.frequency_lists import FREQUENCY_LISTS

from security.errors import WeakPassword, WrongPassword

COST = 12
"""Rounds of bcrypt, as a power of two (focusguard, "Security Best Practices", 1)."""

SALT_AND_HASH_LENGTH = 22 + 31

_COMMONEST = frozenset(FREQUENCY_LISTS["passwords"])


def refuse_common(password: str, *, member: str = "password") -> None:
    """Refuse the commonest passwords, where a contract has no rule of its own. Raises `WeakPassword`.

    `member` is the name of the body's member that the password came in.
    """
    if password.casefold() in _COMMONEST:
        raise WeakPassword(member, "is among the commonest ones")


def refuse_wrong(password: str, password_hash: str) -> None:
    """Refuse a password that is not the hashed one, where somebody is logged in. Raises `WrongPassword`."""
    if not password_matches(password, password_hash):
        raise WrongPassword("The current password is wrong.")


def hash_password(password: str) -> str:
    """Hash a password to store it; takes about a quarter of a second."""
    return bcrypt.hashpw(_prehash(password), bcrypt.gensalt(COST)).decode()


def password_matches(password: str, password_hash: str | None) -> bool:
    """Tell whether the password is the hashed one; without a hash it takes as long to say no."""
    matches = bcrypt.checkpw(_prehash(password), (password_hash or _nobodys_hash()).encode())
    return matches and password_hash is not None


def _prehash(password: str) -> bytes:
    # bcrypt reads 72 bytes and stops at NUL: 44 characters of Base64 stand for a password of any length.
    return b64encode(sha256(password.encode()).digest())


def _nobodys_hash() -> str:
    # As costly to check as any other, and made without hashing, so that even a first login takes no longer.
    return f"$2b${COST:02}${'.' * SALT_AND_HASH_LENGTH}"
