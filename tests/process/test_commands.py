"""`flask --app app`: the commands as they are run, in a process of their own."""

import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import HANGS_AFTER
from tests.process.conftest import PLAIN

COMMANDS = {"account", "backup", "config", "keys", "migrate", "purge", "restore", "routes"}


def flask(checkout: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-W", "ignore", "-m", "flask", "--app", "app", *arguments]
    return subprocess.run(
        command, check=False, cwd=checkout, env=PLAIN | environment, capture_output=True, text=True, timeout=HANGS_AFTER
    )


def test_every_command_is_listed_on_one_line_whatever_the_settings_are(checkout: Path):
    listed = flask(checkout, "--help", PORT="http")

    lines = dict(re.findall(r"^  ([a-z]+)  +([A-Z].*\.)$", listed.stdout, re.MULTILINE))
    assert (listed.returncode, listed.stderr) == (0, "")
    assert lines.keys() >= COMMANDS
    assert [line for line in lines.values() if line.endswith("...")] == []
    assert not (checkout / "var").exists()


def test_operations_and_pages_are_listed_without_a_database(checkout: Path):
    routes = flask(checkout, "routes", DATABASE_URL="postgresql://x:y@127.0.0.1:1/z").stdout

    assert re.search(r"^workspace\.workspace_todos_list_todos +GET +/api/v1/todo/todos *$", routes, re.MULTILINE)
    assert re.search(r"^pages\.ready +GET +/readyz *$", routes, re.MULTILINE)


def test_settings_that_cannot_be_used_are_told_in_one_line(checkout: Path):
    refused = flask(checkout, "account", "list", PORT="http")

    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "Error: PORT has to be a whole number from 0 to 65535\n"
