import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from server.contracts import CONTRACTS, Contract
from tests.conftest import once
from tests.sdk.conftest import readme_sample

pytestmark = [pytest.mark.sdk, once]

SHOWN = "http://127.0.0.1:8000"
PASSWORD = "Harbor-Lantern-42"


@pytest.fixture
def maya(base_url: str) -> None:
    account = {"username": "maya", "email": "maya@example.com", "password": PASSWORD}
    assert httpx.post(f"{base_url}/api/v1/auth/register", json=account).status_code in {201, 409}


@pytest.fixture
def python_sample(python_package: Callable[[Contract], Path], base_url: str, tmp_path: Path) -> Callable[[str], Path]:
    """Write a sample to a file beside which its client can be imported."""
    (tmp_path / "quintet_workspace").symlink_to(python_package(CONTRACTS[0]) / "quintet_workspace")

    def write(sample: str) -> Path:
        path = tmp_path / "sample.py"
        path.write_text(sample.replace(SHOWN, base_url))
        return path

    return write


def output(*command: str | Path) -> tuple[int, str]:
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    return ran.returncode, ran.stdout + ran.stderr


def test_the_python_sample_runs(python_sample: Callable[[str], Path], maya: None):
    status, told = output(sys.executable, python_sample(readme_sample("python")))

    created, refused = told.splitlines()
    assert created.endswith(" True")
    assert refused.startswith("400 bad_input [{'field': 'title', 'message': 'must ")
    assert status == 0


def test_the_python_sample_tells_a_wrong_password(python_sample: Callable[[str], Path], maya: None):
    sample = readme_sample("python").replace(PASSWORD, "Harbor-Lantern-43")

    status, told = output(sys.executable, python_sample(sample))

    assert status == 1
    assert told.startswith("401 invalid_credentials: ")


@pytest.mark.parametrize("asynchronous", [False, True])
def test_the_python_sample_passes_strict_type_checks(python_sample: Callable[[str], Path], asynchronous: bool):
    sample = readme_sample("python")
    if asynchronous:
        sample = sample.replace("todos.create_todo(", "await todos.create_todo_async(").replace("\n", "\n    ")
        sample = f"async def main() -> None:\n    {sample}"
    path = python_sample(sample)
    config = {"include": [path.name], "typeCheckingMode": "strict"}
    (path.parent / "pyrightconfig.json").write_text(json.dumps(config))
    pyright = Path(sys.executable).with_name("pyright")

    status, told = output(pyright, "--project", path.parent, "--pythonpath", sys.executable)

    assert "0 errors, 0 warnings" in told
    assert status == 0


@pytest.fixture
def typescript_sample(typescript_programs: Path, base_url: str) -> Path:
    """The sample, beside which its client can be imported."""
    path = typescript_programs / "sample.js"
    path.write_text((typescript_programs / "readme.js").read_text().replace(SHOWN, base_url))
    return path


def test_the_typescript_sample_runs(typescript_sample: Path, maya: None):
    status, told = output("node", typescript_sample)

    created, refused = told.split("\n", 1)
    assert created.endswith(" true")
    assert refused.startswith("400 bad_input [")
    assert "field: 'title'" in refused
    assert status == 0


def test_the_typescript_sample_tells_a_wrong_password(typescript_sample: Path, maya: None):
    typescript_sample.write_text(typescript_sample.read_text().replace(PASSWORD, "Harbor-Lantern-43"))

    assert output("node", typescript_sample) == (0, "401 invalid_credentials undefined\n")
