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


class AccountGone(DomainError):
    """The caller's own account was deleted, before the request or while it was under way."""

    code = "account_not_found"

    def __init__(self) -> None:
        super().__init__("The account of this token was deleted.")


class NotYours(DomainError):
    """The thing is there and belongs to another account.

    Contracts disagree on whether the caller may learn that; their rows in `server.contracts` decide.
    """

    code = "forbidden"

    def __init__(self, message: str, *, hidden_as: NotFound) -> None:
        super().__init__(message)
        self.hidden_as = hidden_as
        """What a caller is told who may not learn that it is there."""


class BadValue(DomainError):
    """A member of the input has a value that no schema can refuse; the message says what `member` must be."""

    code = "bad_input"

    def __init__(self, member: str, message: str) -> None:
        super().__init__(message)
        self.member = member


class Duplicate(DomainError):
    """A name that has to be unique is taken."""

    code = "duplicate"


class Conflict(DomainError):
    """The thing is in a state that does not allow what was asked."""

    code = "conflict"
