"""A large account that is deleted while another one is used."""

import threading
from dataclasses import dataclass, field
from time import perf_counter, sleep

import httpx

from tests.trials.target import Target
from tests.trials.visitors import TODOS

SECONDS = 10
"""How long the other account is used, from a second before the deletion."""

OTHER = {"username": "noah", "email": "noah@q.example", "password": "Harbor-Lantern-42"}


@dataclass
class Leaving:
    """How long the deletion took, and each request of the other account meanwhile."""

    status: int = 0
    seconds: float = 0
    of_others: list[float] = field(default_factory=list)
    failed: int = 0


def leave_beside_others(target: Target) -> Leaving:
    """Delete the account of the target while another one writes and reads."""
    leaving = Leaving()
    with httpx.Client(base_url=f"http://127.0.0.1:{target.port}", timeout=60) as client:
        client.post("/api/v1/auth/register", json=OTHER).raise_for_status()
        token = client.post("/api/v1/auth/login", json=OTHER).json()["access_token"]
        other = threading.Thread(target=_write_and_read, args=(client, token, leaving))
        other.start()
        sleep(1)
        began = perf_counter()
        with httpx.Client(base_url=client.base_url, timeout=60) as own:
            answer = own.delete("/api/users/me", headers={"Authorization": f"Bearer {target.token}"})
        leaving.status, leaving.seconds = answer.status_code, perf_counter() - began
        other.join()
    return leaving


def _write_and_read(client: httpx.Client, token: str, leaving: Leaving) -> None:
    headers, until = {"Authorization": f"Bearer {token}"}, perf_counter() + SECONDS
    while perf_counter() < until:
        for method, body in (("POST", {"title": "Water the plants"}), ("GET", None)):
            began = perf_counter()
            answer = client.request(method, TODOS, json=body, params={} if body else {"limit": 1}, headers=headers)
            leaving.of_others.append(perf_counter() - began)
            leaving.failed += not answer.is_success
        sleep(0.01)
