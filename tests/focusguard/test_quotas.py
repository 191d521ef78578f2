import asyncio
import logging
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from random import Random
from uuid import uuid4

import httpx
import pytest

import clock
from environment import SettingError
from security import quotas
from security.quotas import Quotas, caller_by
from security.tokens import SigningKey, sign_with
from server.app import Quintet
from settings import read_settings
from tests.conftest import HANGS_AFTER, SECRET, Person, once
from tests.contract_truth import hold_to_contract
from tests.focusguard.conftest import error_of, redis_at
from tests.focusguard.test_auth import new_user
from tests.operations import bearer
from tests.server.conftest import served


def request_from(address: str = "192.0.2.1", token: str = "") -> str:
    return caller_by(token, address, at=clock.now())


def left_after(counted: Quotas, *callers: str, seconds: float = 0) -> list[int | None]:
    """Count requests so many seconds from now, and return what is left after each."""
    at = clock.now() + timedelta(seconds=seconds)

    async def take() -> list[int | None]:
        taken = [await counted.take(caller, at=at) for caller in callers]
        await counted.close()
        return [one and one.left for one in taken]

    return asyncio.run(take())


@pytest.fixture(autouse=True)
def signing_key() -> None:
    sign_with(SigningKey(SECRET, "HS256", timedelta(minutes=15), timedelta(days=7)))


@pytest.fixture
def redis_url(redis_port: int) -> Iterator[str]:
    with redis_at(redis_port):
        yield f"redis://127.0.0.1:{redis_port}/0"


def test_a_quota_is_used_up_request_by_request():
    assert left_after(Quotas(2), *3 * [request_from()]) == [1, 0, -1]


def test_addresses_and_accounts_have_quotas_of_their_own(person: Person, new_person: Callable[..., Person]):
    tokens = [person.access_token, new_person().access_token]
    requests = [request_from(), request_from("192.0.2.2"), *[request_from(token=token) for token in tokens]]

    assert left_after(Quotas(5), *requests, *requests) == [4, 4, 4, 4, 3, 3, 3, 3]


def test_an_account_has_one_quota_wherever_it_asks_from(person: Person):
    requests = [request_from(address, person.access_token) for address in ("192.0.2.1", "192.0.2.2")]

    assert left_after(Quotas(5), *requests) == [4, 3]


@pytest.mark.parametrize("token", ["nonsense", "é", "refresh"])
def test_who_proves_no_account_counts_as_an_address(person: Person, token: str):
    sent = person.refresh_token if token == "refresh" else token

    assert left_after(Quotas(5), request_from(), request_from(token=sent)) == [4, 3]


def test_no_quota_at_all_counts_nothing():
    assert left_after(Quotas(0), request_from()) == [None]


def test_a_minute_later_the_quota_is_whole_again(monkeypatch: pytest.MonkeyPatch):
    counted = Quotas(2)
    left_after(counted, *3 * [request_from()])
    key = counted.item.key_for("address/192.0.2.1")
    counted.storage.expirations[key] -= timedelta(minutes=1).total_seconds()

    assert left_after(counted, request_from()) == [1]


def test_a_window_in_redis_is_over_after_as_many_seconds_as_were_told(redis_url: str):
    counted = Quotas(1, redis_url)
    generator = Random(1)

    async def milliseconds_left(account: str, left: int) -> tuple[int, int, int]:
        bridge = counted.storage.bridge
        redis, key = bridge.get_connection(), bridge.prefixed_key(counted.item.key_for(account))
        await counted.take(account, at=clock.now())
        await redis.pexpire(key, left)
        before = await redis.pttl(key)
        told = await counted.take(account, at=clock.now())
        assert told is not None
        return before, told.seconds * 1000, await redis.pttl(key)

    async def many() -> list[tuple[int, int, int]]:
        lengths = [*(1000 * seconds for seconds in range(1, 61)), *(generator.randint(1, 60_000) for _ in range(200))]
        found = [await milliseconds_left(f"account/{number}", left) for number, left in enumerate(lengths)]
        await counted.close()
        return found

    # A key that has a millisecond left is there for all of it. What was told is no more than a second longer.
    assert [one for one in asyncio.run(many()) if not one[2] < one[1] <= one[0] + 1000] == []


@pytest.mark.parametrize("left", [0.000_001, 0.4, 0.999_999, 1.0, 1.000_001, 30.5, 59.999_999])
def test_a_window_in_memory_is_over_after_as_many_seconds_as_were_told(left: float):
    counted, at = Quotas(1), clock.now()

    async def told() -> int:
        await counted.take("account/1", at=at)
        counted.storage.expirations[counted.item.key_for("account/1")] = (at + timedelta(seconds=left + 60)).timestamp()
        quota = await counted.take("account/1", at=at + timedelta(seconds=60))
        return quota.seconds if quota else 0

    assert left <= asyncio.run(told()) < left + 1.000_001


def test_the_first_request_of_a_window_has_all_of_it_before_it(redis_url: str):
    async def told(counted: Quotas) -> int:
        quota = await counted.take("account/1", at=clock.now())
        await counted.close()
        return quota.seconds if quota else 0

    assert [asyncio.run(told(counted)) for counted in (Quotas(1), Quotas(1, redis_url))] == [60, 60]


def test_processes_that_share_a_redis_share_the_count(redis_url: str):
    one, other = Quotas(5, redis_url), Quotas(5, redis_url)

    assert left_after(one, request_from(), request_from()) == [4, 3]
    assert left_after(other, request_from()) == [2]


def test_without_redis_requests_go_on_with_one_warning(
    redis_port: int, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(quotas, "AWAY_SECONDS", 0)
    counted = Quotas(5, f"redis://:a-secret@127.0.0.1:{redis_port}/0")

    with caplog.at_level(logging.WARNING, "quintet"):
        assert left_after(counted, *3 * [request_from()]) == [None, None, None]

    assert len(caplog.records) == 1
    assert "a-secret" not in caplog.text


def test_the_warning_is_said_again_after_a_minute(redis_port: int, caplog: pytest.LogCaptureFixture):
    counted = Quotas(5, f"redis://127.0.0.1:{redis_port}/0")
    for seconds in (0, 30, 59, 61):
        left_after(counted, request_from(), seconds=seconds)

    assert len(caplog.records) == 2


def test_a_redis_that_went_away_is_not_asked_at_every_request(redis_port: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(quotas, "AWAY_SECONDS", 100)
    counted = Quotas(5, f"redis://127.0.0.1:{redis_port}/0")
    left_after(counted, request_from())
    with redis_at(redis_port):
        assert left_after(counted, request_from(), seconds=99) == [None]

        assert left_after(counted, request_from(), seconds=101) == [4]


def test_a_redis_that_dies_and_comes_back_counts_again(redis_port: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(quotas, "AWAY_SECONDS", 0)
    counted = Quotas(5, f"redis://127.0.0.1:{redis_port}/0")
    with redis_at(redis_port):
        assert left_after(counted, request_from()) == [4]
    assert left_after(counted, request_from()) == [None]
    with redis_at(redis_port):
        assert left_after(counted, request_from()) == [4]


@pytest.mark.parametrize("url", ["redis://", "redis://cache", "memcached://h:1", "redis://h:x", "nonsense"])
def test_a_storage_that_cannot_be_used_is_told_at_start(url: str):
    with pytest.raises(SettingError, match="RATE_LIMIT_STORAGE_URL"):
        read_settings({"RATE_LIMIT_STORAGE_URL": url})


@pytest.fixture
def serve_with(base_url: str) -> Iterator[Callable[[Quotas], httpx.Client]]:
    """Serve the application once more, on the same database, and make a client for it."""
    with ExitStack() as stack:

        def serve_one(quotas: Quotas) -> httpx.Client:
            url = stack.enter_context(served(Quintet(quotas=quotas)))
            hooks = {"response": [hold_to_contract]}
            return stack.enter_context(httpx.Client(base_url=url, event_hooks=hooks, verify=False, timeout=HANGS_AFTER))

        yield serve_one


@once
def test_answers_tell_the_quota_and_the_excess_is_refused(serve_with: Callable[[Quotas], httpx.Client]):
    client = serve_with(Quotas(3))
    person, other = (client.post("/api/auth/register", json=new_user()).json()["access_token"] for _ in range(2))

    answers = [client.get("/api/stats/me", headers=bearer(person)) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert {answer.headers["RateLimit-Policy"] for answer in answers} == {'"minute";q=3;w=60'}
    assert [answer.headers["RateLimit"].partition(";t=")[0] for answer in answers] == [
        f'"minute";r={left}' for left in (2, 1, 0, 0)
    ]
    assert error_of(answers[3]) == (429, "TOO_MANY_REQUESTS")
    assert 0 < int(answers[3].headers["Retry-After"]) <= 60
    assert client.get("/api/stats/me", headers=bearer(other)).status_code == 200
    assert client.put("/api/sessions", headers=bearer(other)).headers["RateLimit"].startswith('"minute";r=1')
    assert client.get(f"/api/users/{uuid4()}", headers=bearer(other)).headers["RateLimit"].startswith('"minute";r=0')
    assert "RateLimit" not in client.get("/api/v1/todo/todos", headers=bearer(person)).headers
    assert client.get("/api/v1/todo/todos", headers=bearer(person)).status_code == 200


@once
def test_the_login_tells_both_of_its_limits(serve_with: Callable[[Quotas], httpx.Client]):
    client = serve_with(Quotas(7))
    wrong = {"username": new_user()["username"], "password": "not this one"}

    answers = [client.post("/api/auth/login", json=wrong) for _ in range(8)]

    assert [answer.status_code for answer in answers] == 5 * [401] + 3 * [429]
    assert answers[6].headers["RateLimit"].startswith('"login";r=0;t=')
    assert '"minute";r=0;t=' in answers[6].headers["RateLimit"]
    assert error_of(answers[6]) == (429, "TOO_MANY_ATTEMPTS")
    assert error_of(answers[7]) == (429, "TOO_MANY_REQUESTS")


def test_servers_that_share_a_redis_share_the_quota(serve: Callable[..., httpx.Client], redis_url: str):
    environment = {"RATE_LIMIT_PER_MINUTE": "3", "RATE_LIMIT_STORAGE_URL": redis_url}
    servers = [serve(**environment), serve(**environment)]

    answers = [servers[number % 2].get("/api/stats/me") for number in range(4)]

    assert [answer.status_code for answer in answers] == [401, 401, 401, 429]


def test_without_a_quota_answers_tell_none(client: httpx.Client):
    assert "RateLimit" not in client.get("/api/stats/me").headers
