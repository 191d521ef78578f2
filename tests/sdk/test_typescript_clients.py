import json
import shutil
from pathlib import Path

import pytest

from server.contracts import CONTRACTS
from tools.sdk import NODE_MODULES, generate_typescript, run

pytestmark = pytest.mark.sdk

STORIES = Path(__file__).parent
TOLD = [contract.name for contract in CONTRACTS if (STORIES / f"{contract.name}.ts").exists()]


@pytest.fixture(scope="session")
def typescript_stories(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Generate and compile the TypeScript client of every contract, and the stories against them."""
    folder: Path = tmp_path_factory.mktemp("typescript")
    generate_typescript(CONTRACTS, folder / "clients")
    (folder / "node_modules").mkdir()
    (folder / "node_modules/@types").symlink_to(NODE_MODULES / "@types")
    (folder / "package.json").write_text(json.dumps({"type": "module"}))
    for name in TOLD:
        (folder / f"node_modules/quintet-{name}").symlink_to(folder / "clients" / name)
        shutil.copy(STORIES / f"{name}.ts", folder)
    shutil.copy(STORIES / "tsconfig.json", folder)
    run("tsc", "--project", folder)
    return folder


@pytest.mark.parametrize("name", TOLD)
def test_the_typescript_client_tells_the_whole_story(typescript_stories: Path, base_url: str, name: str):
    run("node", typescript_stories / f"{name}.js", BASE_URL=base_url)
