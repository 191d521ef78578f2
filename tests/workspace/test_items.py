"""What holds alike for to-dos, achievements, focus items and future plans."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import httpx
import pytest

import clock
from db.sql.engine import transaction
from language.texts import instant
from tests.conftest import Person
from tests.workspace.kinds import Kind, create, for_each_kind, for_each_member


def at_once(*asks: Callable[[], httpx.Response]) -> list[httpx.Response]:
    with ThreadPoolExecutor(len(asks)) as pool:
        return [answer.result() for answer in [pool.submit(ask) for ask in asks]]


@for_each_kind
def test_an_item_of_which_little_is_said_has_the_defaults_of_the_contract(kind: Kind, person: Person):
    item = create(person, kind)

    given = {"id": item["id"], "user_id": person.id, "created_at": item["created_at"], "updated_at": item["created_at"]}
    assert item == {**given, **kind.least, **kind.defaults}
    assert timedelta(0) <= clock.now() - instant(item["created_at"]) < timedelta(minutes=1)


@for_each_kind
def test_an_item_is_shown_alike_when_it_is_created_read_and_listed(kind: Kind, person: Person):
    item = create(person, kind, **kind.full)

    read = person.client.get(f"{kind.path}/{item['id']}")
    listed = person.client.get(kind.path)

    assert item.items() >= kind.full.items()
    assert read.json() == item
    assert listed.json() == [item]


@for_each_kind
def test_null_is_the_same_as_left_out_where_a_member_may_be_null(kind: Kind, person: Person):
    nothing = {member: None for member, value in kind.defaults.items() if value in (None, []) and member in kind.full}

    item = create(person, kind, **nothing)

    assert item.items() >= kind.defaults.items()


@for_each_kind
def test_the_longest_values_are_kept_whole(kind: Kind, person: Person):
    item = create(person, kind, **kind.longest)

    response = person.client.get(f"{kind.path}/{item['id']}")

    assert response.json().items() >= kind.longest.items()


@for_each_kind
def test_text_is_kept_as_it_was_sent(kind: Kind, person: Person):
    text = " \t\"It's\" <b>50 %</b>_\\ \r\n {x} ${y} مرحبا é é \u2028 '; DROP TABLE tasks; -- "

    item = create(person, kind, description=text)

    assert item["description"] == text
    assert person.client.get(f"{kind.path}/{item['id']}").json()["description"] == text


@pytest.mark.parametrize("day", ["0001-01-01", "1970-01-01", "2024-02-29", "9999-12-31"])
@for_each_kind
def test_every_day_of_the_calendar_goes_in_and_out_alike(kind: Kind, day: str, person: Person):
    member = next(name for name in kind.full if "date" in name)

    item = create(person, kind, **{member: day})

    assert item[member] == day
    assert [one[member] for one in person.client.get(kind.path).json()] == [day]


@for_each_member
def test_a_change_sets_the_member_that_is_sent_and_no_other(kind: Kind, member: str, person: Person):
    item = create(person, kind, **kind.full)

    response = person.client.put(f"{kind.path}/{item['id']}", json={member: kind.others[member]})

    assert response.status_code == 200
    changed = response.json()
    assert changed == {**item, member: kind.others[member], "updated_at": changed["updated_at"]}
    assert changed["updated_at"] > item["updated_at"]
    assert person.client.get(f"{kind.path}/{item['id']}").json() == changed


@for_each_kind
def test_a_change_may_set_all_members(kind: Kind, person: Person):
    item = create(person, kind, **kind.full)

    response = person.client.put(f"{kind.path}/{item['id']}", json=kind.others)

    assert response.json() == {**item, **kind.others, "updated_at": response.json()["updated_at"]}


@for_each_kind
def test_null_takes_a_value_away(kind: Kind, person: Person):
    item = create(person, kind, **kind.full)
    empty = {member: value for member, value in kind.defaults.items() if value in (None, []) and member in kind.full}

    response = person.client.put(f"{kind.path}/{item['id']}", json=dict.fromkeys(empty))

    assert response.json() == {**item, **empty, "updated_at": response.json()["updated_at"]}


@pytest.mark.parametrize("body", [{}, {"unknown": 1}, {"id": 7, "user_id": 7, "created_at": "2001-01-01T00:00:00Z"}])
@for_each_kind
def test_a_change_of_nothing_changes_nothing(kind: Kind, body: dict[str, Any], person: Person):
    item = create(person, kind, **kind.full)

    response = person.client.put(f"{kind.path}/{item['id']}", json=body)

    assert response.status_code == 200
    assert response.json() == item


@for_each_kind
def test_two_changes_at_once_both_hold(kind: Kind, person: Person):
    item = create(person, kind)
    first, second = [{member: value} for member, value in kind.others.items()][:2]

    responses = at_once(
        lambda: person.client.put(f"{kind.path}/{item['id']}", json=first),
        lambda: person.client.put(f"{kind.path}/{item['id']}", json=second),
    )

    assert [response.status_code for response in responses] == [200, 200]
    assert person.client.get(f"{kind.path}/{item['id']}").json().items() >= {**first, **second}.items()


@for_each_kind
def test_of_two_deletions_at_once_one_finds_nothing(kind: Kind, person: Person):
    item = create(person, kind)

    responses = at_once(*[lambda: person.client.delete(f"{kind.path}/{item['id']}")] * 2)

    assert sorted(response.status_code for response in responses) == [204, 404]


@for_each_kind
def test_a_deletion_removes_one_item_alone(kind: Kind, person: Person):
    kept, gone = create(person, kind), create(person, kind)

    person.client.delete(f"{kind.path}/{gone['id']}")

    assert person.client.get(kind.path).json() == [kept]


@for_each_kind
def test_an_id_is_never_given_twice(kind: Kind, person: Person):
    gone = create(person, kind)
    person.client.delete(f"{kind.path}/{gone['id']}")

    item = create(person, kind)

    assert item["id"] > gone["id"]


@for_each_kind
def test_a_list_shows_the_items_of_its_account_alone(kind: Kind, person: Person, stranger: httpx.Client):
    create(person, kind)

    response = stranger.get(kind.path)

    assert response.json() == []


@for_each_kind
def test_items_of_the_same_instant_are_listed_newest_first(kind: Kind, person: Person, monkeypatch: pytest.MonkeyPatch):
    instant_of_all = clock.now()
    monkeypatch.setattr(clock, "now", lambda: instant_of_all)
    ids = [create(person, kind)["id"] for _ in range(3)]

    response = person.client.get(kind.path)

    assert [item["id"] for item in response.json()] == ids[::-1]


@for_each_kind
def test_a_list_can_be_had_in_pages(kind: Kind, person: Person):
    for _ in range(3):
        create(person, kind)
    whole = person.client.get(kind.path).json()

    pages = {
        page: person.client.get(f"{kind.path}?{page}").json() for page in ("limit=2", "offset=2", "limit=1&offset=1")
    }

    assert pages == {"limit=2": whole[:2], "offset=2": whole[2:], "limit=1&offset=1": whole[1:2]}


@for_each_kind
def test_a_list_without_a_limit_is_whole(kind: Kind, person: Person):
    members = {"account_id": person.id, "created_at": clock.now(), "updated_at": clock.now(), **kind.least}
    with transaction() as session:
        session.add_all([kind.model(**members) for _ in range(1_001)])

    response = person.client.get(kind.path)

    assert len(response.json()) == 1_001
