from collections.abc import Callable
from itertools import product

import httpx
import pytest
from sqlalchemy import insert, literal, select

import clock
from db.sql.engine import transaction
from db.tasks.tags import add_tag, task_tags
from db.tasks.tasks import Task
from tests.conftest import Person, once
from tests.fullstack.test_tasks import TASKS, TODOS, change, new_task

SEARCHED = ["Water the plants", "and/or", "snake_case", "50% off", "100 % sure", "back\\slash", "it's"]
SEARCHED += ["äöü", "Straße", "САДЫ", "emoji 😀"]
TITLES = ["Éclair", "apple", "Zebra", "äpfel", "banana", "Banana", "_", "100 %"]


def listed(client: httpx.Client, **query: object) -> list[str]:
    response = client.get(TASKS, params={name: str(value) for name, value in query.items()})
    assert response.status_code == 200, response.text
    return [task["title"] for task in response.json()["tasks"]]


@pytest.fixture
def varied(client: httpx.Client) -> httpx.Client:
    """A person with tasks of all kinds: a, b, c and so on, made in this order."""
    dues = {"a": "2026-03-02T00:00:00Z", "c": "2026-03-01T00:00:00Z", "d": "2026-03-02T00:00:00Z", "f": None}
    priorities = {"a": "low", "b": "high", "c": "medium", "d": "high", "e": "low", "f": "medium"}
    tasks = {
        title: new_task(client, title=title, priority=priority, due_date=dues.get(title))
        for title, priority in priorities.items()
    }
    for title in "bce":
        change(client, tasks[title], status="completed")
    return client


def test_an_account_without_tasks_has_an_empty_list(client: httpx.Client, stranger: httpx.Client):
    new_task(stranger)

    assert client.get(TASKS).json() == {"tasks": [], "total": 0, "skip": 0, "limit": 100}


ASKED: list[tuple[dict[str, str], str]] = [
    ({}, "fedcba"),
    ({"sort_order": "asc"}, "abcdef"),
    ({"sort_by": "created_at", "sort_order": "desc"}, "fedcba"),
    ({"sort_by": "due_date"}, "dacfeb"),
    ({"sort_by": "due_date", "sort_order": "asc"}, "cadbef"),
    ({"sort_by": "priority"}, "dbfcea"),
    ({"sort_by": "priority", "sort_order": "asc"}, "aecfbd"),
    ({"sort_by": "title"}, "fedcba"),
    ({"sort_by": "title", "sort_order": "asc"}, "abcdef"),
    ({"status": "active"}, "fda"),
    ({"status": "completed"}, "ecb"),
    ({"priority": "high"}, "db"),
    ({"priority": "low", "sort_order": "asc"}, "ae"),
    ({"status": "active", "priority": "high"}, "d"),
    ({"status": "completed", "sort_by": "due_date", "sort_order": "asc"}, "cbe"),
    ({"status": "active", "sort_by": "due_date"}, "daf"),
    ({"status": "completed", "sort_by": "priority"}, "bce"),
    ({"status": "active", "sort_by": "title", "sort_order": "asc"}, "adf"),
    ({"priority": "medium", "sort_by": "due_date"}, "cf"),
    ({"priority": "high", "sort_by": "title", "sort_order": "asc", "search": "D"}, "d"),
]
"""For each query the titles that it finds, one letter each."""


def test_tasks_are_filtered_and_sorted_as_asked(varied: httpx.Client):
    answers = [varied.get(TASKS, params=query).json() for query, _ in ASKED]

    found = [
        (query, "".join(task["title"] for task in one["tasks"])) for (query, _), one in zip(ASKED, answers, strict=True)
    ]
    assert found == ASKED
    assert [one["total"] for one in answers] == [len(expected) for _, expected in ASKED]


@pytest.mark.parametrize("sort_by", ["created_at", "due_date", "priority", "title"])
def test_pages_make_up_the_whole(varied: httpx.Client, sort_by: str):
    for sort_order, status in product(["asc", "desc"], [{}, {"status": "active"}, {"status": "completed"}]):
        query = {"sort_by": sort_by, "sort_order": sort_order, **status}
        whole = listed(varied, **query)

        pages = [varied.get(TASKS, params={**query, "skip": skip, "limit": 2}).json() for skip in range(0, 8, 2)]

        assert [task["title"] for page in pages for task in page["tasks"]] == whole
        assert {page["total"] for page in pages} == {len(whole)}
        assert [(page["skip"], page["limit"]) for page in pages] == [(skip, 2) for skip in range(0, 8, 2)]


def test_whatever_has_not_been_completed_is_active(client: httpx.Client):
    for status in ("pending", "in_progress", "completed", "deferred"):
        client.post(TODOS, json={"title": status, "status": status})

    active, completed = listed(client, status="active"), listed(client, status="completed")

    assert active == ["deferred", "in_progress", "pending"]
    assert completed == ["completed"]


def test_titles_are_sorted_regardless_of_case(client: httpx.Client):
    for title in TITLES:
        new_task(client, title=title)

    rising = listed(client, sort_by="title", sort_order="asc")
    falling = listed(client, sort_by="title", sort_order="desc")

    assert rising == ["100 %", "_", "apple", "banana", "Banana", "Zebra", "äpfel", "Éclair"]
    assert falling == rising[::-1]


FOUND: dict[str, list[str]] = {
    "PLANTS": ["Water the plants"],
    "figures": ["Report"],
    "FIRST, then": ["Report"],
    "%": ["100 % sure", "50% off"],
    "0%": ["50% off"],
    "_": ["snake_case"],
    "e_c": ["snake_case"],
    "\\": ["back\\slash"],
    "\\s": ["back\\slash"],
    "/": ["and/or"],
    "'": ["it's"],
    "ÄÖÜ": ["äöü"],
    "STRASSE": ["Straße"],
    "сады": ["САДЫ"],
    "😀": ["emoji 😀"],
    "re\nport": [],
    "plants figures": [],
    " ": ["100 % sure", "50% off", "Report", "Water the plants", "emoji 😀"],
}
"""For each search the titles that it finds."""


def test_search_finds_any_part_of_title_or_description(client: httpx.Client):
    for title in SEARCHED:
        new_task(client, title=title)
    new_task(client, title="Report", description="Figures first, THEN the outlook.")

    query = {"sort_by": "title", "sort_order": "asc"}
    found = {search: client.get(TASKS, params={"search": search, **query}).json() for search in FOUND}

    assert {search: sorted(task["title"] for task in one["tasks"]) for search, one in found.items()} == FOUND
    assert {search: one["total"] for search, one in found.items()} == {one: len(FOUND[one]) for one in FOUND}


def test_an_empty_search_finds_everything(client: httpx.Client):
    new_task(client, title="a")
    new_task(client, title="b", description="")

    assert listed(client, search="") == ["b", "a"]


def test_search_and_order_follow_a_change_made_through_any_contract(client: httpx.Client):
    client.post(TODOS, json={"title": "Zoë", "description": "ÉCLAIR"})
    new_task(client, title="b")
    (todo,) = [one for one in client.get(TODOS).json() if one["title"] == "Zoë"]

    before = listed(client, search="éclair"), listed(client, sort_by="title", sort_order="asc")
    client.put(f"{TODOS}/{todo['id']}", json={"title": "Anna", "description": None})
    after = listed(client, search="éclair"), listed(client, sort_by="title", sort_order="asc")

    assert before == (["Zoë"], ["b", "Zoë"])
    assert after == ([], ["Anna", "b"])
    assert listed(client, search="anna") == ["Anna"]


@once
@pytest.mark.parametrize(
    "query",
    [
        "status=pending",
        "status=",
        "priority=urgent",
        "priority=3",
        "sort_by=updated_at",
        "sort_by=title,id",
        "sort_order=down",
        "search=%00",
        "search=%FF",
        f"search={'x' * 201}",
        "limit=1001",
        "skip=-1",
    ],
)
def test_a_query_that_cannot_be_is_422(client: httpx.Client, query: str):
    response = client.get(f"{TASKS}?{query}")

    assert (response.status_code, response.json()["error_code"]) == (422, "BAD_INPUT")


def test_unknown_parameters_are_ignored(varied: httpx.Client):
    assert listed(varied, page=7, colour="red") == list("fedcba")


def test_the_longest_page_has_a_thousand_tasks_with_their_tags(person: Person):
    stamps = {"account_id": person.id, "created_at": clock.now(), "updated_at": clock.now()}
    with transaction() as session:
        session.execute(insert(Task), [{"title": f"{n:04}", **stamps} for n in range(1_003)])
        for position, name in enumerate("ba"):
            tag = add_tag(session, {"name": name}, owner=person.id, at=clock.now())
            every = select(Task.id, literal(tag.id), literal(position)).where(Task.account_id == person.id)
            session.execute(insert(task_tags).from_select(["task_id", "tag_id", "position"], every))

    page = person.client.get(TASKS, params={"limit": 1000, "sort_by": "title", "sort_order": "asc"}).json()

    assert [task["title"] for task in page["tasks"]] == [f"{n:04}" for n in range(1_000)]
    assert all([tag["name"] for tag in task["tags"]] == ["b", "a"] for task in page["tasks"])
    assert page["total"] == 1_003


def test_pages_do_not_mix_accounts(new_person: Callable[..., Person]):
    people = [new_person() for _ in range(3)]
    for n, one in enumerate(people):
        for _ in range(3):
            new_task(one.client, title=f"{n}", tags=[f"{n}"])

    lists = [listed(one.client, limit=2, skip=skip) for one in people for skip in (0, 2)]

    assert lists == [["0", "0"], ["0"], ["1", "1"], ["1"], ["2", "2"], ["2"]]
