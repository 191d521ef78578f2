"""Traces of errors, for the log."""

from traceback import format_tb


def trace_of(error: BaseException) -> str:
    """Return where an error was raised and of what kind it is, and the same of what led to it.

    Its message is left out: drivers, parsers and Python itself quote values there, a password among them.
    """
    kind = type(error)
    trace = f"{''.join(format_tb(error.__traceback__))}{kind.__module__}.{kind.__qualname__}"
    origin = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return trace if origin is None else f"{trace_of(origin)}\n\n{trace}"
