"""Logins of others while many connections of one address log in with names that nobody has."""

import asyncio
import json
import random
from dataclasses import dataclass, field
from time import perf_counter

from tests.trials.target import EMAIL, PASSWORD, Target
from tests.trials.visitors import Answers

LOGIN = "/api/v1/auth/login"
HOSTILE_CONNECTIONS = 80
HOSTILE_ADDRESS = "127.0.0.2"
OTHERS = [f"127.0.1.{number}" for number in range(1, 200)]
SECONDS_BETWEEN = 1.5
"""Between two logins of others: with those of the hostile address they are about all that a core can check."""

LONGEST_SECONDS = 3


@dataclass
class Logins:
    """What others met with: the seconds of each login that succeeded, and how many did not."""

    seconds: list[float] = field(default_factory=list)
    failed: int = 0

    @property
    def in_time(self) -> float:
        """The share of logins that succeeded soon enough."""
        count = len(self.seconds) + self.failed
        return sum(one <= LONGEST_SECONDS for one in self.seconds) / count if count else 0


async def log_in_beside_a_crowd(target: Target, count: int) -> Logins:
    """Log in so many times, from another address each time, while the crowd does nothing else."""
    logins = Logins()
    crowd = [asyncio.create_task(_stay_wrong(target)) for _ in range(HOSTILE_CONNECTIONS)]
    await asyncio.sleep(2)
    right = [asyncio.create_task(_log_in(target, OTHERS[number], number, logins)) for number in range(count)]
    await asyncio.gather(*right)
    for one in crowd:
        one.cancel()
    await asyncio.gather(*crowd, return_exceptions=True)
    return logins


async def _log_in(target: Target, address: str, number: int, logins: Logins) -> None:
    await asyncio.sleep(number * SECONDS_BETWEEN)
    began = perf_counter()
    if await _status_of(target, address, EMAIL, PASSWORD) == 200:
        logins.seconds.append(perf_counter() - began)
    else:
        logins.failed += 1


async def _stay_wrong(target: Target) -> None:
    while True:
        await _status_of(target, HOSTILE_ADDRESS, f"{random.getrandbits(60):x}@q.example", "Harbor-Lantern-42")


async def _status_of(target: Target, address: str, email: str, password: str) -> int:
    body = json.dumps({"email": email, "password": password}).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", target.port, local_addr=(address, 0))
    answers = Answers()
    try:
        writer.write(target.request("POST", LOGIN, body=body, token=False))
        while not answers.statuses and (piece := await reader.read(65_536)):
            answers.feed(piece)
    except OSError:
        pass
    finally:
        writer.close()
    return answers.statuses[0] if answers.statuses else 0
