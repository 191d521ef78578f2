"""What `make contract` writes and refuses. `tests/tools/contract_trial.py` runs all tests on what it writes."""

import shutil
import sys
from importlib import import_module
from itertools import cycle
from pathlib import Path

import pytest
import yaml
from openapi_spec_validator import validate
from yamllint import linter
from yamllint.config import YamlLintConfig

import handlers
from server import contracts
from server.contracts import CONTRACTS, Contract
from tests.server.made_contracts import serving
from tools.contract import ROOT, Impossible, Skeleton, main, skeleton_of, write

SHAPES = sorted({one.error.__name__ for one in CONTRACTS})
BASES = ["/unheardof/v1", "/api/v1/unheardof", "/api/{user_id}/unheardof", "/unheardof/{user_id}/v1"]

each_skeleton = pytest.mark.parametrize(
    "skeleton",
    [skeleton_of("unheardof", base, shape) for shape, base in zip(SHAPES, cycle(BASES), strict=False)],
    ids=lambda one: f"{one.model.error.__name__} {one.base}",
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A folder with what of the project a skeleton is written into."""
    for folder in ("openapi", "handlers", "tests", "server"):
        (tmp_path / folder).mkdir()
    shutil.copy(ROOT / "server/contracts.py", tmp_path / "server")
    return tmp_path


def files_in(root: Path) -> dict[str, bytes]:
    return {str(path.relative_to(root)): path.read_bytes() for path in root.rglob("*") if path.is_file()}


@each_skeleton
def test_its_contract_is_valid_and_neatly_written(skeleton: Skeleton, root: Path):
    write(skeleton, root)

    text = (root / "openapi/unheardof.yaml").read_text()
    validate(yaml.safe_load(text))
    assert list(linter.run(text, YamlLintConfig(file=str(ROOT / ".yamllint")))) == []


@each_skeleton
def test_the_server_finds_its_handlers(skeleton: Skeleton, root: Path, monkeypatch: pytest.MonkeyPatch):
    write(skeleton, root)
    monkeypatch.setattr(contracts, "OPENAPI_FOLDER", root / "openapi")
    monkeypatch.setattr(handlers, "__path__", [str(root / "handlers")])
    for module in ("handlers.unheardof", "handlers.unheardof.tasks"):
        monkeypatch.delitem(sys.modules, module, raising=False)

    serving(monkeypatch, Contract("unheardof", skeleton.base, skeleton.model.error, skeleton.model.media_type))

    assert import_module("handlers.unheardof.tasks").__file__ == str(root / "handlers/unheardof/tasks.py")


@each_skeleton
def test_its_row_is_the_last_of_the_table(skeleton: Skeleton, root: Path):
    before = (root / "server/contracts.py").read_text()
    shape = skeleton.model.error.__name__

    write(skeleton, root)

    after = (root / "server/contracts.py").read_text()
    media_type = "" if shape == "problem" else ", media_type=JSON"
    row = f'    Contract("unheardof", base_path="{skeleton.base}", error={shape}{media_type}),\n'
    assert f"{row})\n" in after
    assert after.replace(row, "") == before


def test_all_that_is_written_is_said(root: Path):
    before = files_in(root)

    said = write(skeleton_of("unheardof", "/unheardof/v1", "problem"), root)

    after = files_in(root)
    assert {path for path in after if after[path] != before.get(path)} == set(said)


@pytest.mark.parametrize(
    ("name", "base", "error", "told"),
    [
        ("", "", "", "have to be given"),
        ("Unheardof", "/unheardof/v1", "problem", "lowercase"),
        ("../unheardof", "/unheardof/v1", "problem", "lowercase"),
        ("class", "/unheardof/v1", "problem", "lowercase"),
        ("todo", "/unheardof/v1", "problem", "openapi/todo.yaml already"),
        ("operations", "/unheardof/v1", "problem", "tests/operations.py already"),
        ("pages", "/unheardof/v1", "problem", "pages beside the contracts"),
        ("unheardof", "unheardof/v1", "problem", "has to be a path"),
        ("unheardof", "/unheardof/", "problem", "has to be a path"),
        ("unheardof", "/" + "a" * 61, "problem", "has to be a path"),
        ("unheardof", "/{user_id}/unheardof", "problem", "has to be a path"),
        ("unheardof", "/teams/{team_id}/unheardof", "problem", "has to be a path"),
        ("unheardof", "/a/{user_id}/{user_id}", "problem", "has to be a path"),
        ("unheardof", "/api/v1", "problem", "/api/v1 (workspace) is there already"),
        ("unheardof", "/api/v1/todo", "problem", "/api/v1/todo/todos (workspace) is there already"),
        ("unheardof", "/api/{user_id}/tasks", "problem", "is there already"),
        ("unheardof", "/docs", "problem", "/docs (pages) is there already"),
        ("unheardof", "/unheardof/v1", "nothing", "has to be one of"),
    ],
)
def test_what_cannot_be_is_told_in_a_line_and_nothing_is_written(
    name: str, base: str, error: str, told: str, capsys: pytest.CaptureFixture[str]
):
    before = (ROOT / "server/contracts.py").read_bytes()

    status = main(name, base, error)

    assert status == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert told in line
    assert not list(ROOT.glob("*/unheardof*"))
    assert (ROOT / "server/contracts.py").read_bytes() == before


def test_a_skeleton_is_not_written_over_another(root: Path):
    write(skeleton_of("unheardof", "/unheardof/v1", "problem"), root)
    before = files_in(root)

    with pytest.raises(Impossible, match="already"):
        write(skeleton_of("unheardof", "/unheardof/v2", "nested"), root)

    assert files_in(root) == before
