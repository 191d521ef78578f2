"""Crowds: a server with more connections than it can have gives up those that wait for a request."""

import resource
from collections.abc import Collection
from contextlib import suppress
from heapq import nsmallest

from server.edge.deadlines import TimedProtocol

MOST_CONNECTIONS = 20_000
"""How many connections there may be at once, if there may be as many files."""

OWN_FILES = 128
"""How many of the process's files are not connections of clients: the database's, the log's, and some to spare."""

GIVEN_UP_AT_ONCE = 64
"""How many connections are closed when there are too many, so that not each new one has to look for another."""


def raise_file_limit() -> None:
    """Let this process open as many files as it may; the usual 1,024 are as many connections."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):  # Some systems call more unlimited than they give.
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def make_room(connections: Collection[object], newcomer: TimedProtocol) -> None:
    """If there are too many connections, close those that have waited longest for a request or the rest of one.

    The newcomer stays, even if it came at the same moment as they did.
    """
    if len(connections) <= most_connections():
        return
    others = [one for one in connections if isinstance(one, TimedProtocol) and one is not newcomer]
    waiting = [one for one in others if one.is_waiting_for_client()]
    for one in nsmallest(GIVEN_UP_AT_ONCE, waiting, key=lambda one: one.since):
        one.give_up()


def most_connections() -> int:
    """Return how many connections there may be at once."""
    files, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return MOST_CONNECTIONS if files == resource.RLIM_INFINITY else min(MOST_CONNECTIONS, max(files - OWN_FILES, 16))
