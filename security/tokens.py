"""Tokens: JWTs (RFC 7519) that any of the five contracts issues and all of them accept."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from hashlib import sha256
from typing import Any, ClassVar, Literal
from uuid import UUID, uuid4

import jwt
from jwt.utils import base64url_decode, base64url_encode

from db.accounts.accounts import account_exists
from db.accounts.logins import Login, account_of, end_login
from db.accounts.refresh_chain import SpentToken, is_accepted
from db.errors import AccountGone, ConnectionLost
from db.sql.engine import autocommit
from security.errors import InvalidToken, WrongTokenKind

ISSUER = AUDIENCE = "quintet"
CLAIMS = ("sub", "type", "jti", "sid", "iat", "exp", "iss", "aud")
LEEWAY = timedelta(0)

_UNREADABLE = (
    jwt.PyJWTError,
    ValueError,
    TypeError,
    AttributeError,
    KeyError,
    OverflowError,
    OSError,
    RecursionError,
)
"""What the libraries raise for texts that are no tokens, and for headers and claims of unexpected types and sizes."""

Kind = Literal["access", "fresh", "refresh"]
"""What an operation requires: an access token, one issued at a login (fresh), or a refresh token."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """How tokens are signed, and how long they live."""

    secret: str
    algorithm: str
    access_lifetime: timedelta
    refresh_lifetime: timedelta
    other_secrets: tuple[str, ...] = ()
    """What tokens are accepted by beside it: the key before it, until the last token of that expires, or the next."""


@dataclass(frozen=True, slots=True)
class Token:
    """The claims of a well-signed token. They do not include the account's integer id; the database has it."""

    account_uuid: UUID
    type: str
    fresh: bool
    jti: UUID
    login_id: UUID
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Caller:
    """The account that sends a request, and the token that proves it."""

    account_id: int
    token: Token


class _Keys:
    current: SigningKey
    header: ClassVar[dict[str, str]]
    secrets: ClassVar[dict[object, str]]
    """All secrets that tokens are checked by, by their ids."""


def sign_with(key: SigningKey) -> None:
    """Make `key` the key that this process signs and checks tokens with."""
    _Keys.current = key
    _Keys.header = {"kid": key_id(key.secret)}
    _Keys.secrets = {key_id(one): one for one in (*key.other_secrets, key.secret)}
    _signed_content.cache_clear()


def key_id(secret: str) -> str:
    """Return what tokens call a key (RFC 7515, section 4.1.4): the beginning of a hash, which gives nothing away."""
    return sha256(b"kid " + secret.encode()).hexdigest()[:16]


def access_lifetime() -> timedelta:
    """Return how long an access token lives."""
    return _Keys.current.access_lifetime


def refresh_lifetime() -> timedelta:
    """Return how long a refresh token, and with it a login, lives."""
    return _Keys.current.refresh_lifetime


def access_token(account: Any, login_id: UUID, *, fresh: bool, at: datetime) -> str:
    """Issue an access token of a login; `fresh` means that the password was given just now."""
    return _issue(account, login_id, "access", fresh=fresh, at=at, expires_at=at + access_lifetime())


def refresh_token(account: Any, login: Login, *, at: datetime) -> str:
    """Issue the refresh token of a login."""
    return _issue(account, login.id, "refresh", fresh=False, at=at, expires_at=login.expires_at)


def successor_token(account: Any, spent: SpentToken) -> str:
    """Issue the refresh token that replaces a spent one: the same one however often it is asked for."""
    return _issue(
        account,
        spent.login_id,
        "refresh",
        fresh=False,
        at=spent.spent_at,
        expires_at=spent.successor_expires_at,
        jti=spent.successor,
    )


def _issue(
    account: Any,
    login_id: UUID,
    kind: str,
    *,
    fresh: bool,
    at: datetime,
    expires_at: datetime,
    jti: UUID | None = None,
) -> str:
    claims = {
        "sub": str(account.uuid),
        "username": account.username,
        "type": kind,
        "fresh": fresh,
        "jti": str(jti or uuid4()),
        "sid": str(login_id),
        "iat": int(at.timestamp()),
        "exp": int(expires_at.timestamp()),
        "iss": ISSUER,
        "aud": AUDIENCE,
    }
    return jwt.encode(claims, _Keys.current.secret, _Keys.current.algorithm, _Keys.header)


def identify(raw: str, kind: Kind, *, at: datetime) -> Caller:
    """Identify the caller who sends the token `raw`, where a token of `kind` is required.

    Signature and expiry are checked first, then the kind, then whether login and token are still valid. A spent refresh
    token ends its login: someone else has the token too, and it is unknown which of the two is the thief (RFC 9700,
    section 4.14.2).

    Raises `InvalidToken`, `WrongTokenKind` (an access token instead of a refresh token) or `AccountGone`.
    """
    token = read_token(raw, at=at)
    _refuse_other_kinds(token, kind)
    account_id = _standing_account(token)
    if account_id is not None:
        if kind == "refresh":
            _refuse_spent(token, at)
        return Caller(account_id, token)
    with autocommit() as connection:
        if not account_exists(connection, token.account_uuid):
            raise AccountGone
    raise InvalidToken("The token was revoked.", "token_revoked")


def read_token(raw: str, *, at: datetime) -> Token:
    """Check a token's signature and expiry, and return its claims. Raises `InvalidToken`."""
    token = _signed_content(raw)
    if token.expires_at <= at - LEEWAY:
        raise InvalidToken("The token has expired.", "token_expired")
    return token


@lru_cache(maxsize=4096)
def _signed_content(raw: str) -> Token:
    # The signature of a token never changes, so it is checked once for all requests of a client. Expiry and revocation
    # can change, and are checked at every request.
    options: Any = {"require": list(CLAIMS), "verify_exp": False, "verify_iat": False}
    try:
        _refuse_other_spellings(raw)
        # The token names its key, and no other is tried.
        secret = _Keys.secrets[jwt.get_unverified_header(raw)["kid"]]
        claims = jwt.decode(raw, secret, [_Keys.current.algorithm], options, audience=AUDIENCE, issuer=ISSUER)
        return Token(
            account_uuid=UUID(claims["sub"]),
            type=claims["type"],
            fresh=claims.get("fresh") is True,
            jti=UUID(claims["jti"]),
            login_id=UUID(claims["sid"]),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
        )
    except _UNREADABLE as error:
        raise InvalidToken("The token is malformed or not signed by this server.") from error


def _refuse_other_spellings(raw: str) -> None:
    # PyJWT also decodes a signature with padding, of the standard alphabet, with characters that are skipped or with
    # other unused bits. One token has one spelling (RFC 7515, section 2).
    signature = raw.rpartition(".")[2].encode()
    if base64url_encode(base64url_decode(signature)) != signature:
        raise ValueError


def _refuse_other_kinds(token: Token, kind: Kind) -> None:
    wanted = "refresh" if kind == "refresh" else "access"
    if token.type != wanted and wanted == "refresh":
        raise WrongTokenKind("A refresh token is needed here, not an access token.")
    if token.type != wanted:
        raise InvalidToken("An access token is needed here, not a refresh token.", "wrong_token_kind")
    if kind == "fresh" and not token.fresh:
        raise InvalidToken("A fresh access token is needed here, one straight from a login.", "token_not_fresh")


def _refuse_spent(token: Token, at: datetime) -> None:
    with autocommit() as connection:
        if not is_accepted(connection, token.login_id, token.jti, at=at):
            end_login(connection, token.login_id, at=at)
            raise spent_before()


def spent_before() -> InvalidToken:
    """Return the error for a refresh token that was spent before, which has ended its login."""
    return InvalidToken("The refresh token was used before; its login has ended.", "token_reused")


def _standing_account(token: Token) -> int | None:
    try:
        return _look_up(token)
    except ConnectionLost:
        # The first statement of a request may find that its connection broke while idle: try once more on a new one.
        return _look_up(token)


def _look_up(token: Token) -> int | None:
    with autocommit() as connection:
        return account_of(connection, uuid=token.account_uuid, login_id=token.login_id, jti=token.jti)
