"""`make demo`: what it prints is all that a newcomer needs to log in."""

import re
import subprocess
import sys
from pathlib import Path

from tests.process.conftest import PLAIN, Serve


def make_demo(checkout: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run what `make demo` runs."""
    command = [sys.executable, "demo.py"]
    return subprocess.run(command, check=False, cwd=checkout, env=PLAIN | environment, capture_output=True, text=True)


def test_what_it_prints_logs_in_wherever_it_says(serve: Serve, checkout: Path):
    serving = serve()

    made = make_demo(checkout)

    said = dict(re.findall(r"^  (\S+) +(\S+)$", made.stdout, re.MULTILINE))
    by_email = {"email": said["e-mail"], "password": said["password"]}
    by_either = {"username": said["e-mail"], "password": said["password"]}
    with serving.client() as client:
        doors = {"/api/v1": by_email, "/v1": by_either, "/api": by_either}
        logins = [client.post(f"{door}/auth/login", json=body) for door, body in doors.items()]
        tokens = [login.json()["access_token"] for login in logins]
        tasks = client.get(f"/api/{said['id']}/tasks", headers={"Authorization": f"Bearer {tokens[0]}"})
    assert (made.returncode, made.stderr, len(tokens)) == (0, "", 3)
    assert f"is in {checkout}/var/quintet.db:" in made.stdout
    assert tasks.status_code == 200


def test_what_keeps_it_from_filling_an_account_is_told_in_one_line(checkout: Path):
    wrong = {
        "a whole number": {"PORT": "http"},
        "refused": {"DATABASE_URL": "postgresql://maya:hidden@127.0.0.1:1/quintet", "DEBUG": "true"},
    }

    made = {words: make_demo(checkout, **environment) for words, environment in wrong.items()}

    assert [(one.returncode, one.stdout, one.stderr.count("\n")) for one in made.values()] == [(1, "", 1)] * 2
    assert [words for words, one in made.items() if words not in one.stderr or "hidden" in one.stderr] == []
