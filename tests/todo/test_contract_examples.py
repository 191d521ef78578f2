"""The JSON examples of the contract's text: each is sent, and answered in its shape."""

from typing import Any

import pytest

from tests.conftest import Person, once
from tests.operations import named, request_of, send
from tests.todo.test_tasks import tasks_of

# The text's examples; a word in them stands for a value of that type.
TASK = {
    "id": "integer",
    "user_id": "string",
    "title": "string",
    "description": "string",
    "completed": "boolean",
    "created_at": "datetime",
    "updated_at": "datetime",
}
TASK_LIST = {
    "tasks": [TASK],
    "total_count": "integer",
    "completed_count": "integer",
    "pending_count": "integer",
}
DELETED = {"message": "Task deleted successfully"}
ERROR = {
    "error": {
        "code": "error_code_string",
        "message": "human_readable_error_message",
        "details": "optional_error_details",
    }
}
NEW_TASK = {"title": "string (required, 1-200 chars)", "description": "string (optional, max 1000 chars)"}
CHANGES = {"title": "string (optional, 1-200 chars)", "description": "string (optional, max 1000 chars)"}
COMPLETION = {"completed": "boolean (optional, default: toggle current status)"}

EXAMPLES: dict[str, tuple[dict[str, str] | None, dict[str, Any]]] = {
    "create_task": (NEW_TASK, TASK),
    "list_tasks": (None, TASK_LIST),
    "read_task": (None, TASK),
    "update_task": (CHANGES, TASK),
    "delete_task": (None, DELETED),
    "set_task_completion": (COMPLETION, TASK),
}
"""For each operation the example of what is sent and of what is answered."""

TYPES = {"integer": int, "string": str, "boolean": bool, "datetime": str}


def has_shape_of(answer: Any, example: Any) -> bool:
    """Check whether an answer has the members of an example, in its order, and values of the types it names."""
    if isinstance(example, dict):
        return list(answer) == list(example) and all(has_shape_of(answer[name], example[name]) for name in example)
    if isinstance(example, list):
        return all(has_shape_of(one, example[0]) for one in answer)
    if example == "optional_error_details":
        return answer is None or isinstance(answer, list)
    return isinstance(answer, TYPES.get(example, str)) and (example in TYPES or "_" in example or answer == example)


@pytest.mark.parametrize("name", EXAMPLES)
def test_each_example_is_sent_and_answered_in_the_shape_of_the_text(name: str, person: Person):
    sent, answered = EXAMPLES[name]
    operation = named(name, "todo")
    request = request_of(operation, person)
    if sent is not None:
        request["json"] = {member: True if member == "completed" else words for member, words in sent.items()}
    send(named("create_task", "todo"), person)

    response = person.client.request(**request)

    assert response.status_code == operation.success
    assert has_shape_of(response.json(), answered)
    assert sent is None or {member: response.json()[member] for member in request["json"]} == request["json"]


def test_an_error_has_the_shape_of_the_text(person: Person):
    response = person.client.get("/api/somebody/tasks")

    assert response.status_code == 403
    assert response.headers["content-type"] == "application/json"
    assert has_shape_of(response.json(), ERROR)


@once
def test_several_faults_are_all_told(person: Person):
    response = person.client.post(tasks_of(person), json={"title": " ", "description": 7})

    assert response.status_code == 400
    assert [detail["field"] for detail in response.json()["error"]["details"]] == ["title", "description"]
