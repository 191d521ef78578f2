from collections.abc import Iterator
from compileall import compile_dir
from datetime import date
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from server.contracts import CONTRACTS, Contract
from tests.conftest import PASSWORD
from tools.sdk import run

pytestmark = pytest.mark.sdk

CODE_ALONE = "apis,models,supportingFiles,apiDocs=false,apiTests=false,modelDocs=false,modelTests=false"


def generate(contract: Contract, folder: Path) -> str:
    """Generate a package and return its name."""
    package = f"{contract.name}_api"
    run(
        *("openapi-generator-cli", "generate", "--generator-name", "python", "--package-name", package),
        *("--global-property", CODE_ALONE, "--input-spec", contract.path, "--output", folder),
    )
    return package


@pytest.mark.parametrize("contract", CONTRACTS, ids=lambda one: one.name)
def test_the_client_of_openapi_generator_compiles(contract: Contract, tmp_path: Path):
    package = generate(contract, tmp_path)

    assert compile_dir(tmp_path / package, quiet=1)


@pytest.fixture(scope="session")
def workspace_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    folder: Path = tmp_path_factory.mktemp("openapi-generator")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        yield import_module(generate(CONTRACTS[0], folder))


def test_the_client_of_openapi_generator_tells_the_story_of_workspace(workspace_api: ModuleType, base_url: str):
    api, email = workspace_api, "generator@workspace.example"
    configuration = api.Configuration(host=f"{base_url}{CONTRACTS[0].mount}")
    with api.ApiClient(configuration) as client:
        auth, todos = api.AuthApi(client), api.TodosApi(client)
        auth.register(api.NewUser(username="generator-workspace", email=email, password=PASSWORD))
        configuration.access_token = auth.log_in(api.Credentials(email=email, password=PASSWORD)).access_token

        todo = todos.create_todo(api.NewTodo(title="Water the plants", due_date=date(2027, 3, 1)))
        assert todos.list_todos() == [todo]
        assert todos.read_todo(todo.id) == todo
        assert todos.update_todo(todo.id, api.TodoChanges(status="completed")).status == "completed"
        assert todos.delete_todo(todo.id) is None
        assert todos.list_todos(limit=10) == []

        auth.log_out()
        with pytest.raises(api.exceptions.UnauthorizedException):
            auth.read_me()
