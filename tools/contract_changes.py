"""List what changed in the contracts since a Git revision, and which changes can break a client.

`docs/versioning.md` says what counts as breaking. The wording of a contract (descriptions, examples, links) is not
compared.
"""

import subprocess
import sys
from collections.abc import Iterator, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tools.schema_changes import Document, SchemaComparison

ROOT = Path(__file__).parent.parent
FOLDER = "openapi"
METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace")

Node = Mapping[str, Any]
Finding = tuple[bool, str, str]
"""Whether a change breaks clients, which part of the operation it is in, and what changed."""


class Change(NamedTuple):
    """A change of one part of an operation."""

    is_breaking: bool
    what: str
    where: str


class ContractComparison:
    """Compares two versions of one contract."""

    def __init__(self, old: Node, new: Node) -> None:
        self.old = Document(old)
        self.new = Document(new)
        self.schemas = SchemaComparison(self.old, self.new)

    def changes(self) -> Iterator[Change]:
        """Yield all changes, in no particular order."""
        before, after = operations_of(self.old.content), operations_of(self.new.content)
        for label in before.keys() - after.keys():
            yield Change(is_breaking=True, what="is gone", where=label)
        for label in after.keys() - before.keys():
            yield Change(is_breaking=False, what="is new", where=label)
        for label in before.keys() & after.keys():
            for is_breaking, part, what in self._findings(before[label], after[label]):
                yield Change(is_breaking, what, f"{label}: {part}" if part else label)

    def _findings(self, old: Node, new: Node) -> Iterator[Finding]:
        yield from _names(old, new)
        yield from self._tokens(old, new)
        yield from self._parameters(_parameters_of(self.old, old), _parameters_of(self.new, new))
        yield from self._body(self.old.resolved(old.get("requestBody")), self.new.resolved(new.get("requestBody")))
        yield from self._answers(old["responses"], new["responses"])

    def _tokens(self, old: Node, new: Node) -> Iterator[Finding]:
        before, after = _tokens_of(self.old.content, old), _tokens_of(self.new.content, new)
        for token in before - after:
            yield True, "", f"no longer takes {token}"
        for token in after - before:
            yield False, "", f"also takes {token}"

    def _parameters(self, old: dict[str, Node], new: dict[str, Node]) -> Iterator[Finding]:
        for name in old.keys() - new.keys():
            yield True, name, "is gone"
        for name in new.keys() - old.keys():
            yield (True, name, "is new and has to be sent") if _is_required(new[name]) else (False, name, "is new")
        for name in old.keys() & new.keys():
            yield from _obligation(name, old[name], new[name])
            yield from self._asked(name, old[name]["schema"], new[name]["schema"])

    def _body(self, old: Node | None, new: Node | None) -> Iterator[Finding]:
        if old is None and new is not None:
            yield _is_required(new), "body", "is new"
        elif old is not None and new is None:
            yield True, "body", "is gone"
        elif old is not None and new is not None:
            yield from _obligation("body", old, new)
            yield from self._contents("body", old["content"], new["content"], is_answer=False)

    def _answers(self, old: Node, new: Node) -> Iterator[Finding]:
        for status in old.keys() - new.keys():
            yield _is_success(status), status, "is not answered any more"
        for status in new.keys() - old.keys():
            yield _is_success(status), status, "is a new answer"
        for status in old.keys() & new.keys():
            before, after = self.old.resolved(old[status]), self.new.resolved(new[status])
            yield from self._headers(status, before.get("headers", {}), after.get("headers", {}))
            yield from self._contents(status, before.get("content", {}), after.get("content", {}), is_answer=True)

    def _headers(self, status: str, old: Node, new: Node) -> Iterator[Finding]:
        for name in old.keys() - new.keys():
            yield True, status, f"has no header {name} any more"
        for name in new.keys() - old.keys():
            yield False, status, f"has a new header {name}"
        for name in old.keys() & new.keys():
            before, after = self.old.resolved(old[name]), self.new.resolved(new[name])
            if _is_required(before) != _is_required(after):
                yield _is_required(before), status, f"header {name} is {'optional' if _is_required(before) else 'sure'}"
            yield from self._answered(f"{status} {name}", before["schema"], after["schema"])

    def _contents(self, part: str, old: Node, new: Node, *, is_answer: bool) -> Iterator[Finding]:
        for media_type in old.keys() - new.keys():
            yield True, part, f"is no longer {media_type}"
        for media_type in new.keys() - old.keys():
            yield is_answer, part, f"can be {media_type}"
        compare = self._answered if is_answer else self._asked
        for media_type in old.keys() & new.keys():
            yield from compare(part, old[media_type]["schema"], new[media_type]["schema"])

    def _asked(self, part: str, old: Any, new: Any) -> Iterator[Finding]:
        # What a client sends breaks when less of it is allowed.
        for difference in self.schemas.differences(old, new):
            yield difference.allows_less, part, difference.told

    def _answered(self, part: str, old: Any, new: Any) -> Iterator[Finding]:
        # What a client reads breaks it when it can be more than the client knows.
        for difference in self.schemas.differences(old, new):
            yield difference.allows_more, part, difference.told


def operations_of(contract: Node) -> dict[str, Node]:
    """Return the operations of a contract by method and full path."""
    base = contract["servers"][0]["url"]
    paths = contract["paths"].items()
    return {f"{one.upper()} {base}{path}": item[one] for path, item in paths for one in METHODS if one in item}


def _parameters_of(document: Document, operation: Node) -> dict[str, Node]:
    parameters = [document.resolved(one) for one in operation.get("parameters", [])]
    return {f"{one['in']} parameter {one['name']}": one for one in parameters}


def _tokens_of(contract: Node, operation: Node) -> set[str]:
    schemes = contract.get("components", {}).get("securitySchemes", {})
    requirements = operation.get("security", contract.get("security")) or [{}]
    return {" with ".join(_token(schemes[name]) for name in one) or "callers without a token" for one in requirements}


def _token(scheme: Node) -> str:
    kind, place = scheme.get("x-token", "any"), scheme.get("in") or scheme.get("scheme")
    return " ".join(filter(None, (kind, "token as", place, scheme.get("name"))))


def _names(old: Node, new: Node) -> Iterator[Finding]:
    # Generated clients call their functions and modules by these.
    for word in ("operationId", "tags"):
        if old.get(word) != new.get(word):
            yield True, "", f"{word} was {old.get(word)} and is {new.get(word)}"
    if new.get("deprecated", False) and not old.get("deprecated", False):
        yield False, "", "is deprecated"


def _obligation(part: str, old: Node, new: Node) -> Iterator[Finding]:
    if _is_required(old) != _is_required(new):
        yield _is_required(new), part, "has to be sent" if _is_required(new) else "need not be sent"


def _is_required(node: Node) -> bool:
    return node.get("required", False)


def _is_success(status: str) -> bool:
    return status.startswith("2")


def changes_between(old: Node | None, new: Node | None) -> list[Change]:
    """List the changes of a contract, breaking changes first. None stands for a version without the contract."""
    nothing: Node = {"servers": [{"url": ""}], "paths": {}}
    found = ContractComparison(old or nothing, new or nothing).changes()
    return sorted(set(found), key=lambda change: (not change.is_breaking, change.what, change.where))


def main() -> int:
    """Print all changes of the contracts between a revision and the working tree; return the exit status."""
    revision = sys.argv[1]
    try:
        before = contracts_at(revision)
    except subprocess.CalledProcessError:
        return 2
    after = {path.stem: parsed(path.read_bytes()) for path in (ROOT / FOLDER).glob("*.yaml")}
    for name in sorted(before.keys() | after.keys()):
        print("\n".join(told(name, changes_between(before.get(name), after.get(name)))))
    return 0


def contracts_at(revision: str) -> dict[str, Node]:
    """Read the contracts as they were at a revision. Raises `CalledProcessError` for an unknown revision."""
    names = _git("ls-tree", "--name-only", revision, f"{FOLDER}/").decode().split()
    return {Path(name).stem: parsed(_git("show", f"{revision}:{name}")) for name in names if name.endswith(".yaml")}


def parsed(content: bytes) -> Node:
    """Parse the content of a YAML file."""
    return yaml.load(content, Loader=yaml.CSafeLoader)


def told(name: str, changes: list[Change]) -> Iterator[str]:
    """Yield the lines of a report on one contract: each kind of change once, with the places where it was made."""
    breaking = sum(change.is_breaking for change in changes)
    yield f"{name}: {breaking} breaking, {len(changes) - breaking} harmless"
    for (is_breaking, what), same in groupby(changes, key=lambda change: change[:2]):
        yield f"  {'BREAKING' if is_breaking else 'harmless'}  {what}"
        yield from (f"      {change.where}" for change in same)


def _git(*arguments: str) -> bytes:
    return subprocess.run(["git", *arguments], cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout


if __name__ == "__main__":
    sys.exit(main())
