import httpx
import pytest

from tests.conftest import Person

TODOS = "/api/v1/todo/todos"


def test_a_new_todo_has_the_defaults_of_the_contract(person: Person):
    response = person.client.post(TODOS, json={"title": "Water the plants"})

    assert response.status_code == 201
    todo = response.json()
    assert todo == {
        "id": todo["id"],
        "user_id": person.id,
        "title": "Water the plants",
        "description": None,
        "due_date": None,
        "status": "pending",
        "priority": "medium",
        "created_at": todo["created_at"],
        "updated_at": todo["created_at"],
        "completed_at": None,
    }


def test_todos_are_listed_newest_first(client: httpx.Client):
    for title in ("first", "second", "third"):
        client.post(TODOS, json={"title": title})

    response = client.get(TODOS)

    assert [todo["title"] for todo in response.json()] == ["third", "second", "first"]


@pytest.mark.parametrize("body", [{}, {"title": ""}, {"title": " \t"}, {"title": 7}, {"title": "x", "status": "done"}])
def test_a_todo_that_breaks_the_schema_is_refused_and_not_kept(client: httpx.Client, body: dict[str, object]):
    response = client.post(TODOS, json=body)

    assert response.status_code == 400
    assert response.json()["code"] == "bad_input"
    assert client.get(TODOS).json() == []


def test_somebody_elses_todo_is_forbidden(client: httpx.Client, stranger: httpx.Client):
    todo = stranger.post(TODOS, json={"title": "Mine"}).json()

    response = client.get(f"{TODOS}/{todo['id']}")

    assert response.status_code == 403
    assert response.headers["content-type"] == "application/problem+json"
