"""Why a caller is not let in. The server says what each becomes over HTTP."""

from db.errors import BadValue, DomainError


class Unauthenticated(DomainError):
    """There is no token, or none that counts."""

    code = "unauthenticated"


class InvalidToken(Unauthenticated):
    """The token is malformed, forged, expired, revoked or of the wrong kind."""

    code = "invalid_token"


class WrongTokenKind(DomainError):
    """A sound access token came where a refresh token belongs."""

    code = "wrong_token_kind"


class InvalidCredentials(Unauthenticated):
    """No account has this name, or it has another password; callers cannot tell which."""

    code = "invalid_credentials"


class WrongPassword(DomainError):
    """Whoever is logged in already does not know the password."""

    code = "wrong_password"


class ForeignOrigin(DomainError):
    """A cookie came from a page whose origin is not allowed."""

    code = "origin_not_allowed"


class WeakPassword(BadValue):
    """The password is among the commonest ones."""


class TooManyAttempts(DomainError):
    """All attempts of the window are used up; the next is free in `retry_after` seconds."""

    code = "too_many_attempts"

    def __init__(self, message: str, *, limit: int, window: int, retry_after: int) -> None:
        super().__init__(message)
        self.limit = limit
        self.window = window
        self.retry_after = retry_after
