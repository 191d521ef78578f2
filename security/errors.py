"""The reasons for which a caller is not authenticated. The server decides what each becomes over HTTP."""

from db.errors import BadValue, DomainError


class Unauthenticated(DomainError):
    """There is no token, or no valid one."""

    code = "unauthenticated"


class InvalidToken(Unauthenticated):
    """The token is malformed, forged, expired, revoked or of the wrong kind."""

    code = "invalid_token"


class WrongTokenKind(DomainError):
    """A valid access token was sent where a refresh token is needed."""

    code = "wrong_token_kind"


class InvalidCredentials(Unauthenticated):
    """No account has this name, or its password is another one; the caller cannot find out which."""

    code = "invalid_credentials"


class WrongPassword(DomainError):
    """A caller who is logged in gave a wrong current password."""

    code = "wrong_password"


class ForeignOrigin(DomainError):
    """A cookie was sent by a page whose origin is not allowed."""

    code = "origin_not_allowed"


class WeakPassword(BadValue):
    """The password is one of the most common ones."""


class TooManyAttempts(DomainError):
    """All `limit` attempts in `window` seconds are used up; the next is free in `retry_after` seconds."""

    code = "too_many_attempts"

    def __init__(self, message: str, *, limit: int, window: int, retry_after: int) -> None:
        super().__init__(message)
        self.limit = limit
        self.window = window
        self.retry_after = retry_after
