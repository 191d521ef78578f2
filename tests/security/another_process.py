"""What the throttling tests run in processes of their own: attempts at one account, all with a wrong password."""

import os
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime
from multiprocessing.synchronize import Barrier

from db.sql.engine import connect, disconnect
from security import passwords
from security.errors import InvalidCredentials, TooManyAttempts
from security.logins import log_in

THREADS = 4


class _Start:
    line: Barrier


def prepare(database_url: str, start_line: Barrier) -> None:
    """Set a process up, as the tests set up their own."""
    passwords.COST = 4
    _Start.line = start_line
    connect(database_url)


def knock(name: str, client_address: str, at: datetime, attempts: int) -> tuple[int, Counter[str]]:
    """Wait for the other process and try `attempts` times; tell which process this is and what came of it."""
    _Start.line.wait(30)
    with ThreadPoolExecutor(THREADS) as threads:
        outcomes = threads.map(lambda _: attempt(name, client_address, at), range(attempts))
        counted = Counter(outcomes)
    disconnect()
    return os.getpid(), counted


def attempt(name: str, client_address: str, at: datetime) -> str:
    """Try a wrong password, and tell how it was refused."""
    try:
        log_in(name, "Wrong-Password-1", client_address=client_address, at=at)
    except (InvalidCredentials, TooManyAttempts) as refusal:
        return refusal.code
    return "let in"
