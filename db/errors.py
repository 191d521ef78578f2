"""The reasons for which the model refuses a request. The server decides what each becomes over HTTP."""


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
    """The thing exists and belongs to another account.

    Whether the caller may learn that it exists differs between the contracts; the table of contracts decides.
    """

    code = "forbidden"

    def __init__(self, message: str, *, hidden_as: NotFound) -> None:
        super().__init__(message)
        self.hidden_as = hidden_as
        """The error to send to a caller who may not learn that the thing exists."""


class BadValue(DomainError):
    """A member of the input has a value that a schema cannot refuse; the message says what `member` must be."""

    code = "bad_input"

    def __init__(self, member: str, message: str) -> None:
        super().__init__(message)
        self.member = member


class Duplicate(DomainError):
    """A name that has to be unique is already taken."""

    code = "duplicate"


class Conflict(DomainError):
    """The state of the thing does not allow what was asked for."""

    code = "conflict"


class Unavailable(DomainError):
    """The database cannot do now what it was asked for, and may be able to in `retry_after` seconds.

    Nothing was done; only where the connection broke during a commit it is unknown.
    """

    code = "database_unavailable"
    message = "The database does not answer; try again shortly."
    retry_after = 1

    def __init__(self) -> None:
        super().__init__(self.message)


class ConnectionLost(Unavailable):
    """The database ended the connection; on a new one it may answer at once."""


class DatabaseBusy(Unavailable):
    """The database took longer than a request may take."""

    code = "database_busy"
    message = "The database took too long; try again shortly."


class DatabaseFull(Unavailable):
    """The database has no room left to write."""

    code = "database_full"
    message = "There is no room to store anything; try again later. What is stored can be read."
    retry_after = 30
