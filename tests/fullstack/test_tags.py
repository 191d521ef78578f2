from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest

from db.tasks.tags import PALETTE, color_of
from tests.conftest import Person, once

TAGS, TASKS = "/v1/tags", "/v1/tasks"


def names(client: httpx.Client, **query: int) -> list[str]:
    return [tag["name"] for tag in client.get(TAGS, params=query).json()["tags"]]


def test_a_tag_is_made_with_its_name_trimmed(client: httpx.Client):
    response = client.post(TAGS, json={"name": " \u2003home \n", "color": "#33ff57"})

    tag = response.json()
    assert response.status_code == 201
    assert tag == {"id": tag["id"], "name": "home", "color": "#33ff57", "created_at": tag["created_at"]}
    assert client.get(TAGS).json() == {"tags": [tag], "total": 1, "skip": 0, "limit": 100}


@pytest.mark.parametrize("body", [{"name": "errands"}, {"name": "errands", "color": None}])
def test_a_tag_without_a_color_gets_one_by_its_name(client: httpx.Client, body: dict[str, object]):
    response = client.post(TAGS, json=body)

    assert response.json()["color"] == color_of("errands")
    assert color_of("errands") in PALETTE


def test_tags_are_listed_by_name_in_pages(client: httpx.Client, stranger: httpx.Client):
    for name in ("b", "a", "ä", "C", "Z", "_", "aa"):
        client.post(TAGS, json={"name": name})
    stranger.post(TAGS, json={"name": "theirs"})

    page = client.get(TAGS, params={"skip": 2, "limit": 3}).json()

    assert names(client) == ["C", "Z", "_", "a", "aa", "b", "ä"]
    assert [tag["name"] for tag in page["tags"]] == ["_", "a", "aa"]
    assert (page["total"], page["skip"], page["limit"]) == (7, 2, 3)


@pytest.mark.parametrize(("skip", "limit"), [(0, 1), (1, 1), (2, 1), (3, 1), (1000, 1000), (2**31 - 1, 1)])
def test_the_total_does_not_depend_on_the_page(client: httpx.Client, skip: int, limit: int):
    for name in "abc":
        client.post(TAGS, json={"name": name})

    page = client.get(TAGS, params={"skip": skip, "limit": limit}).json()

    assert page["total"] == 3
    assert [tag["name"] for tag in page["tags"]] == list("abc")[skip : skip + limit]


@once
@pytest.mark.parametrize(
    "query",
    ["skip=-1", "limit=0", "limit=1001", "skip=x", "limit=1.5", "skip=2147483648", "limit=", "skip=1&skip=2"],
)
def test_a_page_that_cannot_be_is_422(client: httpx.Client, query: str):
    for path in (TAGS, TASKS):
        response = client.get(f"{path}?{query}")

        assert (response.status_code, response.json()["error_code"]) == (422, "BAD_INPUT")


def test_a_name_is_unique_within_an_account_letter_for_letter(client: httpx.Client, stranger: httpx.Client):
    client.post(TAGS, json={"name": "work"})

    again = client.post(TAGS, json={"name": " work "})
    other_case = client.post(TAGS, json={"name": "Work"})
    other_account = stranger.post(TAGS, json={"name": "work"})

    assert (again.status_code, again.json()["error_code"]) == (400, "TAG_NAME_TAKEN")
    assert (other_case.status_code, other_account.status_code) == (201, 201)


@once
@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("name", None),
        ("name", ""),
        ("name", " \t\u2003"),
        ("name", "x" * 51),
        ("name", "NUL\0"),
        ("name", 7),
        ("color", "red"),
        ("color", "#12345"),
        ("color", "#1234567"),
        ("color", "#12345g"),
        ("color", "#12345\n"),
        ("color", 7),
    ],
)
def test_a_tag_that_breaks_the_schema_is_422(client: httpx.Client, member: str, value: object):
    tag = client.post(TAGS, json={"name": "kept", "color": "#000000"}).json()

    created = client.post(TAGS, json={"name": "new", member: value})
    updated = client.put(f"{TAGS}/{tag['id']}", json={member: value})

    for response in (created, updated):
        assert (response.status_code, response.json()["error_code"]) == (422, "BAD_INPUT")
        assert member in response.json()["detail"]
    assert client.get(TAGS).json()["tags"] == [tag]


def test_a_change_shows_wherever_the_tag_is(client: httpx.Client):
    task = client.post(TASKS, json={"title": "Water the plants", "tags": ["home"]}).json()
    tag = client.get(TAGS).json()["tags"][0]

    renamed = client.put(f"{TAGS}/{tag['id']}", json={"name": " house "}).json()
    recolored = client.put(f"{TAGS}/{tag['id']}", json={"color": "#3357FF"}).json()

    assert renamed == {**tag, "name": "house", "updated_at": renamed["updated_at"]}
    assert renamed["updated_at"] > tag["created_at"]
    assert recolored == {**renamed, "color": "#3357FF", "updated_at": recolored["updated_at"]}
    shown = client.get(f"{TASKS}/{task['id']}").json()["tags"]
    assert shown == [{"id": tag["id"], "name": "house", "color": "#3357FF"}]


def test_an_empty_body_changes_nothing(client: httpx.Client):
    tag = client.post(TAGS, json={"name": "home"}).json()

    response = client.put(f"{TAGS}/{tag['id']}", json={})

    assert (response.status_code, response.json()) == (200, {**tag, "updated_at": tag["created_at"]})


def test_a_taken_name_is_400_and_one_s_own_is_not_taken(client: httpx.Client):
    home, _ = (client.post(TAGS, json={"name": name}).json() for name in ("home", "work"))

    taken = client.put(f"{TAGS}/{home['id']}", json={"name": "work", "color": "#000000"})
    own = client.put(f"{TAGS}/{home['id']}", json={"name": "home"})

    assert (taken.status_code, taken.json()["error_code"]) == (400, "TAG_NAME_TAKEN")
    assert (own.status_code, own.json()["color"]) == (200, home["color"])


def test_two_tags_that_swap_names_at_once_never_give_a_500(client: httpx.Client):
    ids = [client.post(TAGS, json={"name": name}).json()["id"] for name in "ab"]

    with ThreadPoolExecutor(2) as threads:
        for turn in range(10):
            answers = threads.map(
                lambda tag_id, name: client.put(f"{TAGS}/{tag_id}", json={"name": name}),
                ids,
                "ba" if turn % 2 else "ab",
            )
            assert {answer.status_code for answer in answers} <= {200, 400}

    assert names(client) == ["a", "b"]


def test_a_deleted_tag_is_on_no_task_any_more(client: httpx.Client):
    task = client.post(TASKS, json={"title": "Water the plants", "tags": ["home", "green", "daily"]}).json()
    tag_id = task["tags"][1]["id"]

    response = client.delete(f"{TAGS}/{tag_id}")

    after = client.get(f"{TASKS}/{task['id']}").json()
    assert (response.status_code, response.content) == (204, b"")
    assert after == {**task, "tags": [task["tags"][0], task["tags"][2]]}
    assert names(client) == ["daily", "home"]
    assert client.delete(f"{TAGS}/{tag_id}").status_code == 404


def test_a_tag_that_is_deleted_and_put_on_tasks_at_once_never_gives_a_500(person: Person):
    client = person.client
    tasks = [client.post(TASKS, json={"title": "Water the plants"}).json()["id"] for _ in range(4)]
    recurrence = {"pattern_type": "daily"}

    with ThreadPoolExecutor(8) as threads:
        for _ in range(10):
            tag_id = client.post(TAGS, json={"name": "home"}).json()["id"]
            deleted = threads.submit(client.delete, f"{TAGS}/{tag_id}")
            changes = {"tags": ["home"], "recurrence_pattern": recurrence}
            put = [threads.submit(client.put, f"{TASKS}/{task_id}", json=changes) for task_id in tasks]
            done = [threads.submit(client.patch, f"{TASKS}/{task_id}/toggle-status") for task_id in tasks]
            assert deleted.result().status_code == 204
            assert {one.result().status_code for one in [*put, *done]} == {200}
            for tag in client.get(TAGS).json()["tags"]:
                client.delete(f"{TAGS}/{tag['id']}")
