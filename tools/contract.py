"""Write the skeleton of a contract: two operations over the task list, that pass `make lint` and `make test` at once.

`docs/adding-a-contract.md` says what comes after it.
"""

import keyword
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import yaml
from flask import Flask
from jinja2 import Environment, FileSystemLoader, StrictUndefined, select_autoescape

from language.errors import FieldError
from language.texts import instant_json
from server.contracts import CONTRACTS, Contract, segments_of
from server.errors.refusals import Refusal, bad_input_message
from server.errors.shapes import PROBLEM_JSON
from server.pages.views import pages

ROOT = Path(__file__).parent.parent
TEMPLATES = Path(__file__).with_name("contract-skeleton")
ACCOUNT = "{user_id}"
CREATED_AT = datetime(2026, 3, 2, 8, 20, 11, 451, UTC)
ACCOUNT_EXAMPLE = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
BASE = re.compile(r"(?=.{2,60}$)(?!.*\{.*\{)/[a-z0-9][a-z0-9._-]*(/([a-z0-9][a-z0-9._-]*|\{user_id\}))*")


class Impossible(Exception):
    """What a contract was to be made of cannot be."""


class Skeleton(NamedTuple):
    """What the templates are filled with."""

    name: str
    base: str
    model: Contract
    """A contract whose errors have the shape that was asked for."""

    @property
    def row(self) -> str:
        """The row of the table of contracts."""
        media_type = "" if self.model.media_type == PROBLEM_JSON else ", media_type=JSON"
        return f'    Contract("{self.name}", base_path="{self.base}", error={self.model.error.__name__}{media_type}),\n'

    def files(self) -> dict[str, str]:
        """Return the content of each new file by its path."""
        jinja = Environment(
            loader=FileSystemLoader(TEMPLATES),
            undefined=StrictUndefined,
            autoescape=select_autoescape(),
            trim_blocks=True,
            keep_trailing_newline=True,
        )
        # The URL of a server has no parameters here.
        url, account, below = self.base.partition(f"/{ACCOUNT}")
        places = {"base": self.base, "url": url, "path": f"{account}{below}", "of_account": bool(account)}
        words = {**places, **self._examples(), "title": self.name.capitalize(), "media_type": self.model.media_type}
        return {
            f"openapi/{self.name}.yaml": jinja.get_template("contract.yaml.jinja").render(words),
            f"handlers/{self.name}/__init__.py": "",
            f"handlers/{self.name}/tasks.py": jinja.get_template("tasks.py.jinja").render(words),
            f"tests/{self.name}/__init__.py": "",
            f"tests/{self.name}/test_tasks.py": jinja.get_template("test_tasks.py.jinja").render(words),
        }

    def _examples(self) -> dict[str, object]:
        account = {"user_id": ACCOUNT_EXAMPLE} if ACCOUNT in self.base else {}
        created = {"title": "Water the plants", "completed": False, "created_at": instant_json(CREATED_AT)}
        schema = error_schema_of(self.model)
        return {
            "task": written({"id": 42, **account, **created}),
            "location": f"{self.base.replace(ACCOUNT, ACCOUNT_EXAMPLE)}/tasks/42",
            "error": self._error,
            "error_schema": schema,
            "schemas": "".join(schemas_as_written(self.model, {"Instant", schema})).rstrip(),
        }

    def _error(self, status: int, code: str, message: str = "", **fields: str) -> str:
        wrong = [FieldError(name, told) for name, told in fields.items()]
        refusal = Refusal(status, code, message or bad_input_message(wrong), wrong)
        return written(self.model.error(refusal, CREATED_AT))


def error_schema_of(model: Contract) -> str:
    """Return the name of the schema that a contract's errors have."""
    (content,) = model.document["components"]["responses"]["InternalError"]["content"].values()
    return content["schema"]["$ref"].rpartition("/")[2]


def schemas_as_written(model: Contract, names: set[str]) -> Iterator[str]:
    """Yield the text of these schemas in a contract's file, and of those that they refer to, in the file's order."""
    text = model.path.read_text()
    wanted, known = set[str](), model.document["components"]["schemas"]
    while names - wanted:
        wanted |= names
        names = {one for name in names for one in re.findall(r"#/components/schemas/(\w+)", str(known[name]))}
    for name in known.keys() & wanted:
        # What is indented deeper belongs to it.
        yield from re.findall(rf"^    {name}:\n(?: {{6}}.*\n)+", text, re.MULTILINE)


class Indented(yaml.SafeDumper):
    """Writes YAML as it stands in the contracts: lists are indented."""

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:  # noqa: ARG002 (PyYAML's)
        """Indent what comes next, lists in mappings too."""
        super().increase_indent(flow, indentless=False)


def written(value: object) -> str:
    """Write a value as YAML."""
    return yaml.dump(value, Dumper=Indented, sort_keys=False, allow_unicode=True, width=1000).rstrip()


def skeleton_of(name: str = "", base: str = "", error: str = "") -> Skeleton:
    """Check what the contract is to be made of. Raises `Impossible`."""
    if not (name and base and error):
        raise Impossible("NAME, BASE and ERROR have to be given: make contract NAME=pulse BASE=/pulse/v1 ERROR=problem")
    models = {one.error.__name__: one for one in reversed(CONTRACTS)}
    if not re.fullmatch(r"[a-z][a-z0-9]{0,29}", name) or keyword.iskeyword(name):
        raise Impossible("NAME has to be a word of up to 30 lowercase letters and digits, such as pulse")
    if not BASE.fullmatch(base):
        raise Impossible(
            "BASE has to be a path of up to 60 lowercase letters, digits, '.', '_' and '-', such as /pulse/v1; one"
            f" segment after the first may be {ACCOUNT}, the account that asks"
        )
    if error not in models:
        raise Impossible(f"ERROR has to be one of {', '.join(sorted(models))}")
    return Skeleton(name, base, models[error])


def refuse_what_is_taken(skeleton: Skeleton, root: Path) -> None:
    """Refuse a name or a base path that something has already. Raises `Impossible`."""
    name = skeleton.name
    for path in (f"openapi/{name}.yaml", f"handlers/{name}", f"tests/{name}", f"tests/{name}.py"):
        if (root / path).exists():
            raise Impossible(f"NAME: there is {path} already")
    if name == pages.name:
        raise Impossible(f"NAME: {name} is what the pages beside the contracts are called")
    base = Contract("", skeleton.base, skeleton.model.error)
    for owner, path in paths_taken():
        if base.holds(segments_of(path.encode())):
            raise Impossible(f"BASE: {path} ({owner}) is there already")


def paths_taken() -> Iterator[tuple[str, str]]:
    """Yield all that is served: the base paths and paths of the contracts, and the pages."""
    for contract in CONTRACTS:
        yield contract.name, contract.base_path
        yield from ((contract.name, contract.mount + path) for path in contract.document["paths"])
    application = Flask("pages", static_folder=None)
    application.register_blueprint(pages)
    yield from (("pages", rule.rule) for rule in application.url_map.iter_rules())


def with_row(table: str, row: str) -> str:
    """Return the module of the table of contracts with one more row, the last."""
    end = table.index("\n)\n", table.index("\nCONTRACTS = (")) + 1
    return table[:end] + row + table[end:]


def write(skeleton: Skeleton, root: Path = ROOT) -> list[str]:
    """Write the files and the row, and list what was written. Raises `Impossible`, and then nothing is written."""
    refuse_what_is_taken(skeleton, root)
    table = root / "server/contracts.py"
    contents = {**skeleton.files(), "server/contracts.py": with_row(table.read_text(), skeleton.row)}
    for path, content in contents.items():
        (root / path).parent.mkdir(exist_ok=True)
        (root / path).write_text(content)
    # How long a line gets depends on the names.
    python = [str(root / path) for path in contents if path.endswith(".py")]
    subprocess.run([Path(sys.executable).with_name("ruff"), "format", "-q", *python], check=True)
    return list(contents)


def main(*words: str) -> int:
    """Write a skeleton, and say what was written or why not."""
    try:
        paths = write(skeleton_of(*words))
    except Impossible as impossible:
        print(impossible, file=sys.stderr)
        return 2
    print("Written:", *paths, sep="\n  ")
    print("It is served, and `make check` takes it. What comes next: docs/adding-a-contract.md")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
