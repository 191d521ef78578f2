import json
import re
import subprocess
from collections.abc import Iterator
from compileall import compile_dir
from datetime import date
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from server.contracts import CONTRACTS, Contract
from tests.conftest import PASSWORD, once
from tests.contract_walk import each_contract
from tools.sdk import environment

pytestmark = pytest.mark.sdk

CODE_ALONE = "apis,models,supportingFiles,apiDocs=false,apiTests=false,modelDocs=false,modelTests=false"


SMALLEST = {
    "openapi": "3.0.3",
    "info": {"title": "Smallest", "version": "1"},
    "paths": {"/thing": {"get": {"responses": {"204": {"description": "Nothing"}}}}},
    "components": {"schemas": {"Thing": {"type": "object", "properties": {"name": {"type": "string"}}}}},
}
"""What a generator warns of here it warns of anywhere: version 7.26 for Python does, of any member but a reference."""


def generate(generator: str, source: Path, folder: Path, *options: str) -> set[str]:
    """Generate a client and return what the generator warns of."""
    command = ["openapi-generator-cli", "generate", "--generator-name", generator, "--input-spec", source]
    command += ["--output", folder, *options]
    ran = subprocess.run(command, check=True, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return set(re.findall(r"(?:WARN|ERROR) .*", ran.stdout.decode()))


def generate_python(contract: Contract, folder: Path) -> tuple[str, set[str]]:
    """Generate a package, and return its name and what the generator warns of."""
    package = f"{contract.name}_api"
    options = ("--package-name", package, "--global-property", CODE_ALONE)
    return package, generate("python", contract.path, folder, *options)


@pytest.fixture(scope="session")
def usual_warnings(tmp_path_factory: pytest.TempPathFactory) -> set[str]:
    folder: Path = tmp_path_factory.mktemp("smallest")
    (folder / "smallest.json").write_text(json.dumps(SMALLEST))
    return generate("python", folder / "smallest.json", folder / "client")


@once
@each_contract
def test_openapi_generator_makes_a_python_client_that_compiles(
    contract: Contract, tmp_path: Path, usual_warnings: set[str]
):
    package, warnings = generate_python(contract, tmp_path)

    assert compile_dir(tmp_path / package, quiet=1)
    assert warnings <= usual_warnings


@once
@each_contract
def test_openapi_generator_makes_a_kotlin_client_without_a_warning(contract: Contract, tmp_path: Path):
    assert generate("kotlin", contract.path, tmp_path) == set()


@pytest.fixture(scope="session")
def workspace_api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ModuleType]:
    folder: Path = tmp_path_factory.mktemp("openapi-generator")
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(folder)
        package, _ = generate_python(CONTRACTS[0], folder)
        yield import_module(package)


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
