"""Make contracts of all kinds in a copy of the project, and hold them to all that a contract is held to there.

`.ci/run` runs it; `make test` has no time for it. One contract is made for each shape of errors, each with a base path
of another kind. Then the linters check the copy, and of the tests those run that have to do with these contracts.
"""

import shutil
import subprocess
import sys
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory

from server.contracts import CONTRACTS

ROOT = Path(__file__).parent.parent.parent
BASES = ("/{name}/v1", "/api/v1/{name}", "/api/{{user_id}}/{name}", "/{name}/{{user_id}}/v2")
MAKE = ("make", "-o", ".venv/test")
"""The virtual environment is the project's own, and stays as it is."""

SHAPES = sorted({contract.error.__name__ for contract in CONTRACTS})

OVER_ALL = (
    "test_contract or test_house or test_links or test_stated or test_security_page or take_no_token or every_id"
    " or documentation or test_overlaps or test_routing or test_one_router or test_pages or test_patterns or tools"
)
"""Tests that go over all contracts at once, so that the name of none is in theirs."""


def main() -> None:
    """Make the contracts and run the checks; ends with the status of the first that fails."""
    with TemporaryDirectory(prefix="contract-trial") as temporary:
        project = Path(temporary, "quintet")
        copy_project(project)
        for number, (shape, base) in enumerate(zip(SHAPES, cycle(BASES), strict=False)):
            name = f"sketch{number}"
            run(project, *MAKE, "contract", f"NAME={name}", f"BASE={base.format(name=name)}", f"ERROR={shape}")
        run(project, *MAKE, "lint")
        run(project, sys.executable, "-m", "pytest", "-n", "2", "--dist", "worksteal", "-k", f"sketch or {OVER_ALL}")


def copy_project(folder: Path) -> None:
    """Copy what Git knows of the project, as it is now, and lend the copy the virtual environment."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in filter(None, listed.split("\0")):
        if (ROOT / name).exists():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, folder / name)
    (folder / ".venv").symlink_to(Path(sys.prefix).resolve())


def run(folder: Path, *command: str) -> None:
    """Run a command in a folder, and end with its status if it fails."""
    status = subprocess.run(command, cwd=folder, check=False).returncode
    if status:
        sys.exit(status)


if __name__ == "__main__":
    main()
