"""What can go wrong with the things a caller names. The server says what each becomes over HTTP."""


class DomainError(Exception):
    """A request that the model refuses: a stable snake_case `code` and a message for people.

    The message never repeats what the caller sent.
    """

    code = "refused"

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.code = code or self.code


class NotFound(DomainError):
    """There is no such thing."""

    code = "not_found"


class OwnerGone(DomainError):
    """The account that asks was deleted while it asked."""

    code = "account_not_found"


class NotYours(DomainError):
    """The thing is there and belongs to another account.

    Contracts disagree on whether the caller may learn that; their rows in `server.contracts` decide.
    """

    code = "forbidden"


class Duplicate(DomainError):
    """A name that has to be unique is taken."""

    code = "duplicate"


class Conflict(DomainError):
    """The thing is in a state that does not allow what was asked."""

    code = "conflict"
