"""The two names of an account, username and e-mail address: which texts can be one, and when two are the same."""

import unicodedata
from typing import Any

import email_validator
from precis_i18n import get_profile

MOST_USERNAME_CHARACTERS = 64
MOST_EMAIL_CHARACTERS = 254
MOST_EMAIL_KEY_CHARACTERS = 762

_USERNAME_CASE_MAPPED: Any = get_profile("UsernameCaseMapped")

# Whether mail gets to `.local` or `.test` is the network's matter, which is not asked.
email_validator.SPECIAL_USE_DOMAIN_NAMES.clear()


def username_key(name: str) -> str:
    """Return the form by which a username is compared: names that differ in case, width or composition have the same.

    Raises `ValueError` for what cannot be a username: 1 to 64 characters, without `@`, of which each part between
    single spaces follows the profile UsernameCaseMapped (RFC 8265, section 3.3).
    """
    if len(name) > MOST_USERNAME_CHARACTERS:
        raise ValueError("no username is as long")
    mapped = " ".join(_USERNAME_CASE_MAPPED.enforce(part) for part in name.split(" "))
    if "@" in mapped:  # Also a full-width one.
        raise ValueError("no username holds an @")
    # The profile makes capitals small; folding also makes `ss` of `ß`.
    return unicodedata.normalize("NFC", _visible(mapped).casefold())


def email_key(address: str) -> str:
    """Return the form by which an e-mail address is compared: trimmed, and regardless of case, width and composition.

    Raises `ValueError` for what is no address (RFC 5321; RFC 6531 where it goes beyond ASCII) or has more than 254
    characters. No domain is looked up.
    """
    trimmed = address.strip()
    if len(trimmed) > MOST_EMAIL_CHARACTERS:
        raise ValueError("no e-mail address is as long")
    read = email_validator.validate_email(trimmed, check_deliverability=False, allow_smtputf8=True, strict=True)
    key = unicodedata.normalize("NFKC", _visible(unicodedata.normalize("NFKC", read.normalized)).casefold())
    if len(key) > MOST_EMAIL_KEY_CHARACTERS:
        raise ValueError("an e-mail address of ligatures alone")
    return key


def _visible(text: str) -> str:
    # Joiners, variation selectors and fillers have a place in some scripts, but tell no two names apart.
    is_invisible = _USERNAME_CASE_MAPPED.base.ucd.default_ignorable
    return text if text.isascii() else "".join(one for one in text if not is_invisible(ord(one)))
