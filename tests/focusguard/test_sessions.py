import httpx
import pytest

from tests.conftest import Person, once
from tests.focusguard.conftest import Clock, at_once, error_of

pytestmark = pytest.mark.usefixtures("lasting_tokens")

SESSIONS = "/api/sessions"


def start(client: httpx.Client, **members: object) -> str:
    return client.post(SESSIONS, json=members).json()["id"]


def complete(client: httpx.Client, session_id: str, **members: object) -> httpx.Response:
    return client.patch(f"{SESSIONS}/{session_id}", json={"completed": True, **members})


def test_a_new_session_is_not_completed(person: Person):
    response = person.client.post(SESSIONS, json={"duration_min": 25})

    assert response.status_code == 201
    session = response.json()
    assert session == {
        "id": session["id"],
        "user_id": person.uuid,
        "duration_min": 25,
        "focus_min": 0,
        "completed": False,
        "created_at": session["created_at"],
        "completed_at": None,
    }
    assert person.client.get(f"{SESSIONS}/{session['id']}").json() == session


@pytest.mark.parametrize("request_body", [{"content": b""}, {"json": {}}, {"json": {"duration_min": None}}])
def test_a_session_needs_no_plan(client: httpx.Client, request_body: dict[str, object]):
    response = client.post(SESSIONS, **request_body)  # type: ignore[arg-type]

    assert response.json()["duration_min"] is None


@once
@pytest.mark.parametrize("minutes", [-1, 1441, 2.5, "25", True])
def test_a_plan_that_fits_no_day_is_refused(client: httpx.Client, minutes: object):
    response = client.post(SESSIONS, json={"duration_min": minutes})

    assert error_of(response) == (422, "BAD_INPUT")
    assert client.get(SESSIONS).json() == {"sessions": [], "total": 0}


def test_sessions_are_listed_newest_first(client: httpx.Client):
    ids = [start(client) for _ in range(3)]

    response = client.get(SESSIONS)

    assert [one["id"] for one in response.json()["sessions"]] == ids[::-1]
    assert response.json()["total"] == 3


def test_a_page_of_sessions_tells_the_total_of_all(client: httpx.Client):
    ids = [start(client) for _ in range(3)]

    response = client.get(SESSIONS, params={"limit": 1, "offset": 1})

    assert [one["id"] for one in response.json()["sessions"]] == [ids[1]]
    assert response.json()["total"] == 3


@pytest.mark.parametrize(
    ("planned", "sent", "credited"),
    [
        (25, {"actual_duration_min": 22}, 22),
        (25, {"actual_duration_min": 0}, 0),
        (25, {}, 25),
        (0, {}, 0),
        (25, {"duration_min": 50}, 50),
        (None, {}, 41),
        (25, {"duration_min": None}, 41),
    ],
)
def test_minutes_are_what_was_said_or_planned_or_passed(
    client: httpx.Client, clock: Clock, planned: int | None, sent: dict[str, int | None], credited: int
):
    session_id = start(client, duration_min=planned)
    clock.wait(minutes=41, seconds=59)

    response = complete(client, session_id, **sent)

    assert response.json()["focus_min"] == credited
    assert client.get("/api/stats/me").json()["total_focus_min"] == credited


def test_a_session_nobody_ended_counts_a_day_at_most(client: httpx.Client, clock: Clock):
    session_id = start(client)
    clock.wait(days=3)

    response = complete(client, session_id)

    assert response.json()["focus_min"] == 1440


def test_a_day_has_room_for_so_many_minutes(client: httpx.Client, clock: Clock):
    clock.at = clock.at.replace(hour=12)
    first, second, third = (start(client, duration_min=1000) for _ in range(3))

    credited = [complete(client, one).json()["focus_min"] for one in (first, second, third)]

    assert credited == [1000, 440, 0]
    assert client.get("/api/stats/me").json()["total_sessions"] == 3


def test_completing_twice_credits_once(client: httpx.Client):
    session_id = start(client, duration_min=25)
    first = complete(client, session_id)

    second = complete(client, session_id, actual_duration_min=600)

    assert second.status_code == 200
    assert second.json() == first.json()
    assert client.get("/api/stats/me").json()["total_focus_min"] == 25


def test_fifty_sessions_completed_at_once_are_all_credited(client: httpx.Client):
    ids = iter([start(client, duration_min=30) for _ in range(50)])

    responses = at_once(50, lambda: complete(client, next(ids)))

    assert {response.status_code for response in responses} == {200}
    stats = client.get("/api/stats/me").json()
    assert (stats["total_focus_min"], stats["total_sessions"], stats["best_streak"]) == (1440, 50, 1)


def test_a_plan_may_change_after_completion_and_credits_nothing(client: httpx.Client):
    session_id = start(client, duration_min=25)
    complete(client, session_id)

    response = client.patch(f"{SESSIONS}/{session_id}", json={"duration_min": 50})

    assert (response.json()["duration_min"], response.json()["focus_min"]) == (50, 25)


def test_a_completed_session_is_not_opened_again(client: httpx.Client):
    session_id = start(client, duration_min=25)
    done = complete(client, session_id).json()

    response = client.patch(f"{SESSIONS}/{session_id}", json={"completed": False, "duration_min": 50})

    assert error_of(response) == (409, "SESSION_COMPLETED")
    assert client.get(f"{SESSIONS}/{session_id}").json() == done


@pytest.mark.parametrize("body", [{}, {"completed": False}, {"actual_duration_min": 5}, {"mood": "good"}])
def test_what_completes_nothing_leaves_an_open_session_open(client: httpx.Client, body: dict[str, object]):
    session_id = start(client, duration_min=25)

    response = client.patch(f"{SESSIONS}/{session_id}", json=body)

    assert response.status_code == 200
    assert response.json()["completed"] is False


@pytest.mark.parametrize("body", [{"completed": None}, {"completed": "yes"}, {"actual_duration_min": None}, []])
def test_a_change_that_breaks_the_schema_is_refused(client: httpx.Client, body: object):
    session_id = start(client)

    assert error_of(client.patch(f"{SESSIONS}/{session_id}", json=body)) == (422, "BAD_INPUT")


def test_the_active_session_is_the_newest_open_one(client: httpx.Client):
    older, newer, newest = (start(client) for _ in range(3))
    complete(client, newest)

    assert client.get(f"{SESSIONS}/active").json()["id"] == newer
    complete(client, newer)
    assert client.get(f"{SESSIONS}/active").json()["id"] == older


def test_a_session_of_yesterday_is_not_active(client: httpx.Client, clock: Clock):
    start(client)
    clock.wait(hours=23, minutes=59)
    assert client.get(f"{SESSIONS}/active").status_code == 200

    clock.wait(minutes=1)

    assert error_of(client.get(f"{SESSIONS}/active")) == (404, "SESSION_NOT_FOUND")


def test_somebody_elses_session_is_not_active_here(client: httpx.Client, stranger: httpx.Client):
    start(stranger)

    assert error_of(client.get(f"{SESSIONS}/active")) == (404, "SESSION_NOT_FOUND")


def test_deleting_a_session_takes_its_plant_and_its_credit_along(client: httpx.Client):
    kept, gone = start(client, duration_min=25), start(client, duration_min=50)
    for session_id in (kept, gone):
        complete(client, session_id)
        client.post("/api/garden", json={"session_id": session_id, "plant_type": "Fern"})

    response = client.delete(f"{SESSIONS}/{gone}")

    assert (response.status_code, response.content) == (204, b"")
    assert [plant["session_id"] for plant in client.get("/api/garden").json()["gardens"]] == [kept]
    stats = client.get("/api/stats/me").json()
    assert (stats["total_focus_min"], stats["total_sessions"]) == (25, 1)
    assert error_of(client.get(f"{SESSIONS}/{gone}")) == (404, "SESSION_NOT_FOUND")


def test_fifty_deletions_at_once_take_the_credit_back_once(client: httpx.Client):
    kept, gone = start(client, duration_min=25), start(client, duration_min=50)
    complete(client, kept)
    complete(client, gone)

    responses = at_once(50, lambda: client.delete(f"{SESSIONS}/{gone}"))

    assert sorted(response.status_code for response in responses) == [204] + 49 * [404]
    assert client.get("/api/stats/me").json()["total_focus_min"] == 25


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_somebody_elses_session_is_forbidden(client: httpx.Client, stranger: httpx.Client, method: str):
    session_id = start(stranger, duration_min=25)
    body = {"completed": True} if method == "PATCH" else None

    response = client.request(method, f"{SESSIONS}/{session_id}", json=body)

    assert error_of(response) == (403, "FORBIDDEN")
    assert stranger.get(f"{SESSIONS}/{session_id}").json()["completed"] is False


@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
@pytest.mark.parametrize("session_id", ["0b0e7c1a-3f52-4d68-9a17-6c2e5d4f8b90", "abc", "1", "00000000"])
def test_a_session_that_is_not_there_is_not_found(client: httpx.Client, method: str, session_id: str):
    body = {"completed": True} if method == "PATCH" else None

    response = client.request(method, f"{SESSIONS}/{session_id}", json=body)

    assert response.status_code == 404
