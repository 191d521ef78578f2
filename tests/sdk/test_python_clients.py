import asyncio
import json
from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Any

import pytest
from httpx import MockTransport, Response

from server.contracts import CONTRACTS, Contract
from tests.conftest import PASSWORD, once
from tests.operations import operations_of
from tests.sdk.conftest import PythonClient

pytestmark = once

Open = Callable[[Contract], PythonClient]


def workspace(sdk: PythonClient):
    auth, todos, models = sdk.api("auth"), sdk.api("todos"), sdk.models
    anyone, email = sdk.anonymous(), "python@workspace.example"
    auth.register(client=anyone, body=models.NewUser(username="python-workspace", email=email, password=PASSWORD))
    tokens = auth.log_in(client=anyone, body=models.Credentials(email=email, password=PASSWORD))
    me = sdk.with_token(tokens.access_token)

    todo = todos.create_todo(client=me, body=models.NewTodo(title="Water the plants", due_date=date(2027, 3, 1)))
    assert todos.list_todos(client=me) == [todo]
    assert todos.read_todo(todo.id, client=me) == todo
    changed = todos.update_todo(todo.id, client=me, body=models.TodoChanges(status="completed"))
    assert (changed.title, changed.due_date, changed.status) == ("Water the plants", date(2027, 3, 1), "completed")
    assert todos.delete_todo(todo.id, client=me) is None
    assert todos.list_todos(client=me) == []

    auth.log_out(client=me)
    assert sdk.refusal(auth.read_me, client=me).status == 401
    auth.log_out_refresh(client=sdk.with_token(tokens.refresh_token))
    assert sdk.refusal(auth.refresh, client=sdk.with_token(tokens.refresh_token)).status == 401


def fullstack(sdk: PythonClient):
    auth, tasks, models = sdk.api("auth"), sdk.api("tasks"), sdk.models
    anyone, name = sdk.anonymous(), "python-fullstack"
    auth.register(client=anyone, body=models.NewUser(username=name, email=f"{name}@quintet.example", password=PASSWORD))
    tokens = auth.log_in(client=anyone, body=models.Credentials(username=name, password=PASSWORD))
    renewed = auth.refresh(client=anyone, body=models.TokenRefresh(refresh_token=tokens.refresh_token))
    me = sdk.with_token(renewed.access_token)

    due = datetime(2027, 3, 1, 16, tzinfo=UTC)
    task = tasks.create_task(client=me, body=models.NewTask(title="Water the plants", due_date=due, tags=["home"]))
    assert tasks.list_tasks(client=me, search="plants").tasks == [task]
    assert tasks.read_task(task.id, client=me) == task
    changed = tasks.update_task(task.id, client=me, body=models.TaskChanges(priority="high"))
    assert (changed.title, changed.due_date, changed.priority) == ("Water the plants", due, "high")
    assert [tag.name for tag in sdk.api("tags").list_tags(client=me).tags] == ["home"]
    assert tasks.toggle_task_status(task.id, client=me).status == "completed"
    assert tasks.delete_task(task.id, client=me) is None
    assert tasks.list_tasks(client=me).total == 0


def tasktracker(sdk: PythonClient):
    auth, tasks, models = sdk.api("auth"), sdk.api("tasks"), sdk.models
    anyone, email = sdk.anonymous(), "python@tasktracker.example"
    auth.register(client=anyone, body=models.NewUser(username="python-tasktracker", email=email, password=PASSWORD))
    tokens = auth.log_in(client=anyone, body=models.Credentials(email=email, password=PASSWORD))
    me = sdk.with_token(tokens.access_token)

    home = sdk.api("categories").create_category(client=me, body=models.NewCategory(name="Home", color="#33AA55"))
    task = tasks.create_task(client=me, body=models.NewTask(title="Water the plants", category_id=home.id))
    assert tasks.list_tasks(client=me, category_id=home.id).tasks == [task]
    assert tasks.read_task(task.id, client=me) == task
    changed = tasks.update_task(task.id, client=me, body=models.TaskChanges(status="in_progress"))
    assert (changed.title, changed.category_id, changed.status) == ("Water the plants", home.id, "in_progress")
    assert tasks.delete_task(task.id, client=me) is None
    assert tasks.list_tasks(client=me).total == 0

    auth.log_out(client=me)
    assert sdk.refusal(tasks.list_tasks, client=me).status == 401


def todo(sdk: PythonClient):
    tasks, models = sdk.api("tasks"), sdk.models
    me, user_id = sdk.with_token(sdk.person.access_token), sdk.person.uuid

    task = tasks.create_task(user_id, client=me, body=models.NewTask(title="Water the plants"))
    assert tasks.list_tasks(user_id, client=me).tasks == [task]
    assert tasks.read_task(user_id, task.id, client=me) == task
    changed = tasks.update_task(user_id, task.id, client=me, body=models.TaskChanges(description="Balcony too"))
    assert (changed.title, changed.description) == ("Water the plants", "Balcony too")
    assert tasks.set_task_completion(user_id, task.id, client=me).completed
    assert tasks.delete_task(user_id, task.id, client=me).message == "Task deleted successfully"
    assert tasks.list_tasks(user_id, client=me).total_count == 0


def focusguard(sdk: PythonClient):
    auth, sessions, garden, models = sdk.api("auth"), sdk.api("sessions"), sdk.api("garden"), sdk.models
    anyone, name = sdk.anonymous(), "python-focusguard"
    auth.register(client=anyone, body=models.NewUser(username=name, email=f"{name}@quintet.example", password=PASSWORD))
    login = auth.log_in(client=anyone, body=models.Credentials(username=name, password=PASSWORD))
    renewed = auth.refresh(client=sdk.with_token(login.refresh_token))
    me = sdk.with_token(renewed.access_token)

    session = sessions.create_session(client=me, body=models.NewSession(duration_min=25))
    assert sessions.list_sessions(client=me).sessions == [session]
    assert sessions.read_active_session(client=me) == session
    assert sessions.update_session(session.id, client=me, body=models.SessionChanges(completed=True)).focus_min == 25
    plant = garden.create_plant(client=me, body=models.NewPlant(session_id=session.id, plant_type="fern"))
    assert garden.read_plant_of_session(session.id, client=me) == plant
    assert sdk.api("stats").read_my_stats(client=me).total_focus_min == 25
    assert sessions.delete_session(session.id, client=me) is None
    assert sessions.list_sessions(client=me).total == 0

    auth.log_out(client=me)
    assert sdk.refusal(auth.read_current_user, client=me).status == 401


def no_story_yet(sdk: PythonClient):
    operations = operations_of(sdk.contract.name)
    assert [one.id for one in operations if not callable(getattr(sdk.api(one.definition["tags"][0]), one.id))] == []


STORIES = {story.__name__: story for story in (workspace, fullstack, tasktracker, focusguard, todo)}


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda one: one.name)
def test_the_python_client_tells_the_whole_story(contract: Contract, python_client: Open):
    STORIES.get(contract.name, no_story_yet)(python_client(contract))


LISTS = {
    "workspace": ("todos", "list_todos"),
    "fullstack": ("tags", "list_tags"),
    "tasktracker": ("tasks", "list_tasks"),
    "focusguard": ("sessions", "list_sessions"),
    "todo": ("tasks", "list_tasks"),
}
LISTED = [contract for contract in CONTRACTS if contract.name in LISTS]
BAD_TITLES = [contract for contract in CONTRACTS if contract.name in {"workspace", "tasktracker", "todo"}]


def list_of(sdk: PythonClient, suffix: str = "") -> tuple[Callable[..., Any], list[str]]:
    """The function that lists something, and the arguments in its path."""
    tag, name = LISTS[sdk.contract.name]
    return getattr(sdk.api(tag), name + suffix), [sdk.person.uuid] * (sdk.contract.name == "todo")


@pytest.mark.parametrize("contract", LISTED, ids=lambda one: one.name)
def test_an_error_is_raised_with_the_words_of_its_contract(contract: Contract, python_client: Open):
    sdk = python_client(contract)
    function, path = list_of(sdk)

    error = sdk.refusal(function, *path, client=sdk.anonymous())

    assert error.status == 401
    assert error.code.lower() == "token_missing"
    assert error.message in json.dumps(error.body)
    assert error.errors == []
    assert error.response.headers["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize("contract", LISTED, ids=lambda one: one.name)
def test_a_coroutine_function_raises_the_same_error(contract: Contract, python_client: Open):
    sdk = python_client(contract)
    function, path = list_of(sdk, "_async")

    async def call() -> None:
        async with sdk.without_checks() as anyone:
            await function(*path, client=anyone)

    assert sdk.refusal(asyncio.run, call()).status == 401


@pytest.mark.parametrize("contract", BAD_TITLES, ids=lambda one: one.name)
def test_an_error_tells_what_is_wrong_with_which_member(contract: Contract, python_client: Open):
    sdk = python_client(contract)
    tag = LISTS[contract.name][0]
    create, new = {"todos": ("create_todo", "NewTodo"), "tasks": ("create_task", "NewTask")}[tag]
    path = [sdk.person.uuid] * (contract.name == "todo")
    me, body = sdk.with_token(sdk.person.access_token), getattr(sdk.models, new)(title="")

    error = sdk.refusal(getattr(sdk.api(tag), create), *path, client=me, body=body)

    assert (error.status, error.code) == (400, "bad_input")
    assert {one["field"] for one in error.errors} == {"title"}


def test_an_answer_that_is_not_the_servers_is_raised_too(python_client: Open):
    sdk = python_client(CONTRACTS[0])
    proxy = MockTransport(lambda _: Response(502, text="<h1>Bad gateway</h1>"))
    client = sdk.without_checks(transport=proxy)

    error = sdk.refusal(sdk.api("todos").list_todos, client=client)

    assert (error.status, error.code, error.errors, error.body) == (502, None, [], {})
    assert str(error) == "502 None: Bad Gateway"
