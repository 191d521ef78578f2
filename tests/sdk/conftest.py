import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from server.contracts import CONTRACTS, Contract
from tests.conftest import Person
from tests.contract_truth import hold_to_contract
from tests.readme import BLOCK, sections
from tools.sdk import NODE_MODULES, generate_python, generate_typescript, run

HERE = Path(__file__).parent
TYPESCRIPT_STORIES = [contract.name for contract in CONTRACTS if (HERE / f"{contract.name}.ts").exists()]


def readme_sample(language: str) -> str:
    """The program in this language that the README's section on clients shows."""
    [sample] = [content for written_in, content in BLOCK.findall(sections()["Clients"]) if written_in == language]
    return sample


@dataclass(frozen=True)
class PythonClient:
    """The generated Python client of a contract. `person` has an account for contracts that cannot register one."""

    contract: Contract
    base_url: str
    person: Person
    stack: ExitStack

    @property
    def models(self) -> ModuleType:
        return import_module(f"quintet_{self.contract.name}.models")

    def api(self, tag: str) -> ModuleType:
        """The functions that call the operations of a tag."""
        return import_module(f"quintet_{self.contract.name}.api.{tag}")

    def anonymous(self) -> Any:
        return self._open("Client")

    def with_token(self, token: str) -> Any:
        return self._open("AuthenticatedClient", token=token)

    def refusal(self, function: Callable[..., Any], *arguments: object, **options: object) -> Any:
        """Call a function that has to raise the client's own error, and return that."""
        with pytest.raises(import_module(f"quintet_{self.contract.name}").ProblemError) as caught:
            function(*arguments, **options)
        return caught.value

    def without_checks(self, **httpx_args: Any) -> Any:
        """A client whose answers are not held to the contract, for asyncio, too, to be opened by the caller."""
        return self._make("Client", httpx_args=httpx_args)

    def _open(self, kind: str, **options: str) -> Any:
        checked = {"event_hooks": {"response": [hold_to_contract]}}
        return self.stack.enter_context(self._make(kind, httpx_args=checked, **options))

    def _make(self, kind: str, **options: Any) -> Any:
        make = getattr(import_module(f"quintet_{self.contract.name}"), kind)
        return make(base_url=f"{self.base_url}{self.contract.mount}", **options)


@pytest.fixture(scope="session")
def python_package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Contract], Path]]:
    """Generate the Python client of a contract when it is first asked for, and let it be imported."""
    folder: Path = tmp_path_factory.mktemp("python-clients")
    with pytest.MonkeyPatch.context() as patch:

        @cache
        def generate(contract: Contract) -> Path:
            generate_python(contract, folder / contract.name)
            patch.syspath_prepend(folder / contract.name)
            return folder / contract.name

        yield generate


@pytest.fixture
def python_client(
    python_package: Callable[[Contract], Path], base_url: str, person: Person
) -> Iterator[Callable[[Contract], PythonClient]]:
    """Open the generated client of a contract."""
    with ExitStack() as stack:

        def open_one(contract: Contract) -> PythonClient:
            python_package(contract)
            return PythonClient(contract, base_url, person, stack)

        yield open_one


@pytest.fixture(scope="session")
def typescript_programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generate and compile the TypeScript client of every contract, and what is told with them."""
    folder: Path = tmp_path_factory.mktemp("typescript")
    generate_typescript(CONTRACTS, folder / "clients")
    (folder / "node_modules").mkdir()
    (folder / "node_modules/@types").symlink_to(NODE_MODULES / "@types")
    for contract in CONTRACTS:
        (folder / f"node_modules/quintet-{contract.name}").symlink_to(folder / "clients" / contract.name)
    (folder / "package.json").write_text(json.dumps({"type": "module"}))
    (folder / "readme.ts").write_text(readme_sample("ts"))
    for source in (*HERE.glob("*.ts"), HERE / "tsconfig.json"):
        shutil.copy(source, folder)
    run("tsc", "--project", folder)
    return folder
