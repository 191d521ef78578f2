"""The README's blocks of commands do what the README says, in its order, on a server where others have been before."""

import os
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from shutil import which

import pytest

from tests.process.conftest import PLAIN, Serve, Serving
from tests.process.test_demo import make_demo
from tests.readme import BLOCK, sections

SESSION = "A session with curl"
ADDRESS = "http://127.0.0.1:8000"

RUN_ELSEWHERE = {
    ("Two commands", "make serve"): "tests/process/test_start.py and test_run.py run what it runs",
    ("Two commands", "make test"): "whoever reads this runs it; so does CI",
    ("Clients", "sh"): "tests/sdk generates, installs and calls the clients (`make test-sdk`)",
    ("Clients", "python"): "tests/sdk (`make test-sdk`)",
    ("Clients", "ts"): "tests/sdk (`make test-sdk`)",
    ("The house", ""): "no commands; tests/test_markdown.py looks for each file that it names",
}
"""Every block that is not of the session, by its section and its command or language, and who runs it."""

SHOWN = re.compile(r"(?:^#.*\n)+", re.MULTILINE)
VARYING = re.compile(r'("(?:\w*id|current_user_rank)":)\d+|("\w+_at":)"[^"]+"')
INSTANT = r'"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z"'
CUT = "\x1e"


def session() -> str:
    """Return all commands of the session, together with the answers that they show."""
    return "\n".join(block for _, block in BLOCK.findall(sections()[SESSION]))


def pattern_of(shown: str) -> re.Pattern[str]:
    """Return what matches an answer as the README shows it: any text for `…`, any id, time and rank for those."""
    told = "".join(line.removeprefix("#").strip() for line in shown.splitlines())
    first, *pieces = [VARYING.sub(_any_of_its_kind, re.escape(piece)) for piece in told.split("…")]
    # Each piece is looked for once, after the one before, so that a text that does not match is refused at once.
    gaps = [f"(?>.*?{piece})" for piece in pieces[:-1]] + [f".*{piece}" for piece in pieces[-1:]]
    return re.compile(first + "".join(gaps), re.DOTALL)


def _any_of_its_kind(value: re.Match[str]) -> str:
    return rf"{value[1]}\d+" if value[1] else rf"{value[2]}{INSTANT}"


def follow(serving: Serving, folder: Path) -> list[str]:
    """Paste the whole session into one bash; return what it printed at each place where the README shows an answer."""
    assert session().count(ADDRESS) == 1
    commands = SHOWN.sub(f"printf '{CUT}'\n", session()).replace(ADDRESS, serving.url)
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    bash = ["bash", "-euo", "pipefail", "-c", commands]
    pasted = subprocess.run(bash, check=False, cwd=folder, env=PLAIN | {"PATH": path}, capture_output=True, text=True)
    assert (pasted.returncode, pasted.stderr) == (0, "")
    *answers, rest = pasted.stdout.split(CUT)
    assert rest == "", "the README shows every answer"
    return [answer.strip() for answer in answers]


def unlike(answers: list[str]) -> list[tuple[str, str]]:
    """Return the answers that are not as the README shows them, and what it shows."""
    shown = SHOWN.findall(session())
    pairs = zip(answers, shown, strict=True)
    return [(answer, expected) for answer, expected in pairs if not pattern_of(expected).fullmatch(answer)]


def refusals_in(answers: list[str]) -> list[tuple[str, str]]:
    """Return status and code of each answer that is an error."""
    return [refusal for answer in answers for refusal in re.findall(r'"status":(\d+),.*"code":"(\w+)"', answer)]


@pytest.fixture
def served_before(serve: Serve, checkout: Path) -> Serving:
    """A server on whose database somebody has run `make demo`, and somebody else has an account."""
    serving = serve()
    make_demo(checkout).check_returncode()
    with serving.client() as client:
        account = {"username": "noor", "email": "noor@example.com", "password": "Harbor-Lantern-42"}
        client.post("/api/v1/auth/register", json=account).raise_for_status()
    return serving


def test_each_block_is_run_here_or_is_known_to_be_run_elsewhere():
    blocks = [
        (title, content.strip() if title == "Two commands" else language)
        for title, text in sections().items()
        for language, content in BLOCK.findall(text)
        if title != SESSION
    ]

    assert Counter(blocks) == Counter(RUN_ELSEWHERE.keys())


@pytest.mark.skipif(which("curl") is None, reason="the session needs curl")
def test_the_session_is_answered_as_shown_and_can_be_repeated(served_before: Serving, tmp_path: Path):
    folder = tmp_path / "empty"
    folder.mkdir()

    first = follow(served_before, folder)
    second = follow(served_before, folder)

    wrong_on_purpose = ("400", "bad_input")
    there_already = [("409", "username_taken"), ("400", "category_name_taken")]
    assert unlike(first) == []
    assert refusals_in(first) == [wrong_on_purpose]
    assert refusals_in(second) == [*there_already, wrong_on_purpose]
    assert list(folder.iterdir()) == []
