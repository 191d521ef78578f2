"""Generate a Python and a TypeScript client of every contract into `sdk/`."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from server.contracts import CONTRACTS, Contract

TOOLS = Path(__file__).parent
SDK = TOOLS.parent / "sdk"
NODE_MODULES = TOOLS / "node_modules"
PATH = os.pathsep.join([str(Path(sys.executable).parent), str(NODE_MODULES / ".bin"), os.environ["PATH"]])
"""The programs of the virtual environment and of npm's packages come first."""


def main() -> None:
    """Generate all clients."""
    for contract in CONTRACTS:
        generate_python(contract, SDK / "python" / contract.name)
    generate_typescript(CONTRACTS, SDK / "typescript")


def generate_python(contract: Contract, folder: Path) -> None:
    """Generate the project `quintet-<contract>` with the package `quintet_<contract>`. Warnings count as errors."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as temporary:
        config = Path(temporary, "config.json")
        config.write_text(json.dumps(_python_config(contract)))
        run(
            *("openapi-python-client", "generate", "--fail-on-warning", "--meta", "setup"),
            *("--custom-template-path", TOOLS / "python-client", "--config", config),
            *("--path", contract.path, "--output-path", folder),
        )


def _python_config(contract: Contract) -> dict[str, object]:
    return {
        "project_name_override": f"quintet-{contract.name}",
        "package_name_override": f"quintet_{contract.name}",
        "literal_enums": True,
    }


def generate_typescript(contracts: Iterable[Contract], folder: Path) -> None:
    """Generate the package `quintet-<contract>` for each contract, and compile it with strict checks."""
    shutil.rmtree(folder, ignore_errors=True)
    packages = {contract: folder / contract.name for contract in contracts}
    sources = [[str(contract.path), str(package / "src")] for contract, package in packages.items()]
    run("openapi-ts", "--silent", "--file", TOOLS / "openapi-ts.config.mjs", CLIENTS=json.dumps(sources))
    for contract, package in packages.items():
        (package / "package.json").write_text(json.dumps(_package_json(contract), indent=2))
        (package / "src/problem-body.ts").write_text(_problem_body(contract))
        shutil.copy(TOOLS / "typescript-client/main.ts", package / "src")
        shutil.copy(TOOLS / "typescript-client/tsconfig.json", package)
        run("tsc", "--project", package)


def _package_json(contract: Contract) -> dict[str, object]:
    return {
        "name": f"quintet-{contract.name}",
        "version": contract.document["info"]["version"],
        "type": "module",
        "exports": {".": {"types": "./dist/main.d.ts", "default": "./dist/main.js"}},
    }


def _problem_body(contract: Contract) -> str:
    """Name the type of the body that every error of a contract has."""
    response = contract.document["components"]["responses"]["InternalError"]
    schema = response["content"][contract.media_type]["schema"]["$ref"].rpartition("/")[2]
    return f"export type {{ {schema} as ProblemBody }} from './types.gen.js';\n"


def run(*command: str | Path, **variables: str) -> None:
    """Run a program with more variables in its environment. Raises `CalledProcessError` if it fails."""
    subprocess.run(command, check=True, env=environment() | variables)


def environment() -> dict[str, str]:
    """Return the environment to run generators in."""
    return os.environ | {"PATH": PATH, "RUFF_NO_CACHE": "true"}


if __name__ == "__main__":
    main()
