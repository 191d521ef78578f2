"""The house rules that no linter knows: which way imports run, how long things get, what handlers leave to others."""

import ast
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import pytest
from connexion.http_facts import METHODS

from server.contracts import CONTRACTS

ROOT = Path(__file__).parent.parent
PACKAGES = ("commands", "handlers", "security", "server", "db", "language")
MODULES = [*ROOT.glob("*.py"), *(path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py")))]
HANDLERS = [path for path in MODULES if path.parent.parent == ROOT / "handlers" and path.name != "__init__.py"]

MOST_LINES_OF_A_FILE = 300
MOST_LINES_OF_A_FUNCTION = 30
MOST_LINES_OF_A_HANDLER = 15
MOST_LINES_OF_HALF_OF_ALL_FUNCTIONS = 8

HTTP = {"a2wsgi", "asgiref", "connexion", "flask", "h11", "httptools", "httpx", "starlette", "uvicorn", "werkzeug"}
DATABASE = {"alembic", "asyncpg", "psycopg", "sqlalchemy", "sqlite3"}
FORBIDDEN = {
    "db": HTTP | {"app", "clock", "commands", "handlers", "language", "security", "server", "settings", "environment"},
    "security": HTTP | {"app", "clock", "commands", "handlers", "language", "server", "settings", "environment"},
    "handlers": HTTP | DATABASE | {"app", "commands", "server", "settings", "environment"},
    "commands": HTTP | {"app", "handlers"},
    "server": {"app", "commands", "handlers", "settings", "environment"},
    "language": HTTP
    | DATABASE
    | {"app", "clock", "commands", "db", "handlers", "security", "server", "settings", "environment"},
}
"""What each package must not know. Handlers are found by name, so the server does not import them either."""

WINGS = {
    "db/errors": set(),
    "db/sql": {"db/errors"},
    "db/accounts": {"db/errors", "db/sql"},
    "db/tasks": {"db/errors", "db/sql", "db/accounts"},
    "db/focus": {"db/errors", "db/sql", "db/accounts"},
    "db/personal_anchor": {"db/errors", "db/sql", "db/accounts"},
    "db/sweeping": {"db/errors", "db/sql", "db/accounts", "db/tasks", "db/focus", "db/personal_anchor"},
    "db/membership": {"db/errors", "db/sql", "db/accounts", "db/focus", "db/sweeping"},
    "db/schema": {"db/errors", "db/sql", "db/accounts", "db/tasks", "db/focus", "db/personal_anchor"},
    "db/migrations": {"db/sql", "db/schema"},
    "db/backups": {"db/sql"},
    "server/asgi": set(),
    "server/version": set(),
    "server/errors": set(),
    "server/contracts": {"server/errors"},
    "server/answers": {"server/asgi", "server/errors", "server/contracts"},
    "server/patience": {"server/errors"},
    "server/fair_turns": {"server/asgi", "server/errors", "server/patience"},
    "server/lanes": {"server/errors", "server/fair_turns", "server/patience"},
    "server/background": {"server/errors", "server/lanes"},
    "server/routing": {"server/contracts"},
    "server/security_schemes": {"server/asgi", "server/errors", "server/lanes"},
    "server/validation": {"server/asgi", "server/errors"},
    "server/views": {"server/asgi", "server/answers", "server/lanes", "server/validation"},
    "server/pages": {"server/errors", "server/contracts", "server/answers"},
    "server/edge": {"server/asgi", "server/errors", "server/contracts", "server/answers", "server/security_schemes"},
    "server/tracing": {"server/version"},
    "server/metrics": {"server/asgi", "server/edge", "server/version"},
}
"""The wings of a package, each a folder or a single module, and which of those above it a wing may import."""

Function = ast.FunctionDef | ast.AsyncFunctionDef

modules = pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
handler_modules = pytest.mark.parametrize("path", HANDLERS, ids=lambda path: f"{path.parent.name}.{path.stem}")


@pytest.mark.parametrize("package", FORBIDDEN)
def test_imports_run_one_way(package: str):
    paths = [path for path in MODULES if path.is_relative_to(ROOT / package)]

    wrong = [f"{path.name}: {name}" for path in paths for name in imports_of(path) & FORBIDDEN[package]]

    assert paths
    assert wrong == []


@pytest.mark.parametrize("wing", WINGS)
def test_imports_between_wings_run_one_way(wing: str):
    paths = [path for path in MODULES if lies_in(wing, module_name(path))]
    earlier = list(WINGS)[: list(WINGS).index(wing)]

    wrong = [
        f"{path.name}: {name}"
        for path in paths
        for name in neighbors_of(path)
        if not any(lies_in(known, name) for known in (wing, *WINGS[wing]))
    ]

    assert paths
    assert WINGS[wing] <= set(earlier)
    assert wrong == []


def test_only_the_server_and_the_app_know_http():
    insiders = [*(ROOT / name for name in ("app.py", "serving.py", "workers.py")), *(ROOT / "server").rglob("*.py")]

    outsiders = {str(path.relative_to(ROOT)) for path in MODULES if path not in insiders and imports_of(path) & HTTP}

    assert outsiders == set()


def test_only_handlers_commands_the_server_and_its_log_read_the_clock():
    readers = {package_of(path) for path in MODULES if path.name != "clock.py" and reads_clock(path)}

    assert readers <= {"commands", "handlers", "server", "log.py", "demo.py"}


def test_the_clock_is_read_where_tests_stop_it():
    # A module that has imported `now` itself would go on reading the real one.
    assert [path.name for path in MODULES if takes_names_from_clock(path)] == []


@modules
def test_a_file_fits_into_one_look(path: Path):
    assert len(path.read_text().splitlines()) <= MOST_LINES_OF_A_FILE


@modules
def test_a_function_fits_on_a_screen(path: Path):
    # A first revision lists the whole schema, and nobody reads it twice.
    limit = MOST_LINES_OF_A_FILE if "versions" in path.parts else MOST_LINES_OF_A_FUNCTION

    too_long = [function.name for function in functions_of(path) if length_of(function) > limit]

    assert too_long == []


def test_half_of_all_functions_are_a_few_lines():
    lengths = [length_of(function) for path in MODULES for function in functions_of(path)]

    assert median(lengths) <= MOST_LINES_OF_HALF_OF_ALL_FUNCTIONS


@handler_modules
def test_a_handler_module_is_a_tag_of_its_contract(path: Path):
    tags = {tag for tag, _ in operations_of(path.parent.name)}

    assert path.stem in tags


@handler_modules
def test_a_handler_module_has_operations_and_their_parts_alone(path: Path):
    operations = {operation for tag, operation in operations_of(path.parent.name) if tag == path.stem}
    names = {node.name for node in tree_of(path).body if isinstance(node, Function)}

    others = {name for name in names - operations if not (name.startswith("_") or name.endswith(("_json", "_values")))}

    assert others == set()


@handler_modules
def test_a_handler_defines_no_classes(path: Path):
    assert [node.name for node in ast.walk(tree_of(path)) if isinstance(node, ast.ClassDef)] == []


@handler_modules
def test_a_handler_finds_tells_and_shows(path: Path):
    operations = {operation for _, operation in operations_of(path.parent.name)}

    too_long = {
        function.name
        for function in functions_of(path)
        if function.name in operations and length_of(function) > MOST_LINES_OF_A_HANDLER
    }

    assert too_long == set()


@handler_modules
def test_a_handler_leaves_refusals_to_finders_and_rules(path: Path):
    refusals = [ast.unparse(node) for node in ast.walk(tree_of(path)) if is_try(node) or is_none_check(node)]

    assert refusals == []


@handler_modules
def test_a_handler_trims_what_is_white_space_to_the_contracts(path: Path):
    # Python's own `strip` takes other characters for white space.
    attributes = {node.attr for node in ast.walk(tree_of(path)) if isinstance(node, ast.Attribute)}

    assert attributes & {"strip", "lstrip", "rstrip"} == set()


@handler_modules
def test_a_handler_takes_no_request_object(path: Path):
    names = {node.arg for node in ast.walk(tree_of(path)) if isinstance(node, ast.arg)}

    assert names & {"request", "scope", "environ", "headers"} == set()


def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def package_of(path: Path) -> str:
    return path.relative_to(ROOT).parts[0]


def imports_of(path: Path) -> set[str]:
    """Name the top packages that a module imports, wherever in it the import stands."""
    return {name.partition(".")[0] for name in _imported(tree_of(path))}


def neighbors_of(path: Path) -> set[str]:
    """Name what a module imports from its own package: `db/sql/engine/connect`."""
    names = {name.replace(".", "/") for name in _imported(tree_of(path))}
    return {name for name in names if lies_in(package_of(path), name)}


def lies_in(wing: str, name: str) -> bool:
    return f"{name}/".startswith(f"{wing}/")


def module_name(path: Path) -> str:
    return str(path.relative_to(ROOT).with_suffix(""))


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute here"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def reads_clock(path: Path) -> bool:
    """Check whether a module names a clock: ours, or the standard library's own. What measures durations is none."""
    own = {node.attr for node in ast.walk(tree_of(path)) if isinstance(node, ast.Attribute)}
    imported = set(_imported(tree_of(path))) - {"time.monotonic", "time.sleep"}
    return bool(own & {"now", "utcnow", "today"}) or any(
        lies_in(name, one.replace(".", "/")) for one in imported for name in ("clock", "time")
    )


def takes_names_from_clock(path: Path) -> bool:
    return any(isinstance(node, ast.ImportFrom) and node.module == "clock" for node in ast.walk(tree_of(path)))


def functions_of(path: Path) -> list[Function]:
    return [node for node in ast.walk(tree_of(path)) if isinstance(node, Function)]


def length_of(function: Function) -> int:
    assert function.end_lineno is not None
    return function.end_lineno - function.lineno + 1


def operations_of(contract: str) -> set[tuple[str, str]]:
    """List tag and operationId of each operation of a contract."""
    (document,) = (one.document for one in CONTRACTS if one.name == contract)
    definitions = [item[method] for item in document["paths"].values() for method in METHODS & item.keys()]
    return {(definition["tags"][0], definition["operationId"]) for definition in definitions}


def is_try(node: ast.AST) -> bool:
    return isinstance(node, ast.Try | ast.TryStar)


def is_none_check(node: ast.AST) -> bool:
    compared = [node.left, *node.comparators] if isinstance(node, ast.Compare) else []
    return any(isinstance(side, ast.Constant) and side.value is None for side in compared)
