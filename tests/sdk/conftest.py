from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from server.contracts import Contract
from tests.conftest import Person
from tests.contract_truth import hold_to_contract
from tools.sdk import generate_python


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

    def _open(self, kind: str, **options: str) -> Any:
        make = getattr(import_module(f"quintet_{self.contract.name}"), kind)
        client = make(
            base_url=f"{self.base_url}{self.contract.mount}",
            raise_on_unexpected_status=True,
            httpx_args={"event_hooks": {"response": [hold_to_contract]}},
            **options,
        )
        return self.stack.enter_context(client)


@pytest.fixture(scope="session")
def python_package(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Contract], None]]:
    """Generate the Python client of a contract when it is first asked for, and let it be imported."""
    folder: Path = tmp_path_factory.mktemp("python-clients")
    with pytest.MonkeyPatch.context() as patch:

        @cache
        def generate(contract: Contract) -> None:
            generate_python(contract, folder / contract.name)
            patch.syspath_prepend(folder / contract.name)

        yield generate


@pytest.fixture
def python_client(
    python_package: Callable[[Contract], None], base_url: str, person: Person
) -> Iterator[Callable[[Contract], PythonClient]]:
    """Open the generated client of a contract."""
    with ExitStack() as stack:

        def open_one(contract: Contract) -> PythonClient:
            python_package(contract)
            return PythonClient(contract, base_url, person, stack)

        yield open_one
