"""`config`: what the server would run with, without secrets, and whether it can start."""

import re
from pathlib import Path

import pytest

from commands.config import masked_url
from environment import VARIABLES
from security.tokens import key_id
from tests.commands.conftest import Run
from tests.conftest import SECRET, both, once

pytestmark = once

HIDDEN = "their-password"
NEXT = "the-key-that-comes-next-and-signs-nothing-else-0123456789"


@both
def test_it_prints_every_setting_and_that_all_is_well(run: Run, own_database: str):
    done = run("config", PORT="8123")

    *settings, database = done.stdout.splitlines()
    assert (done.exit_code, done.stderr) == (0, "")
    assert [line.partition("=")[0] for line in settings] == list(VARIABLES)
    assert re.search(r"^PORT=8123 +# environment$", done.stdout, re.MULTILINE)
    assert re.search(r"^KEEP_ALIVE=75 +# default$", done.stdout, re.MULTILINE)
    assert database == "# The database answers, and its schema is current."


@both
def test_a_database_that_lacks_the_schema_is_told(run: Run, empty_database: str):
    by_start = run("config", DATABASE_URL=empty_database)
    by_nobody = run("config", DATABASE_URL=empty_database, MIGRATE="off")

    assert by_start.exit_code == 0
    assert by_start.stdout.splitlines()[-1].startswith("# The ")
    if empty_database.startswith("postgresql"):
        assert by_nobody.exit_code == 1
        assert by_nobody.stderr.startswith("Error: the database lacks 0001")


def test_no_secret_is_printed(run: Run, own_database: str):
    secrets = {"JWT_PREVIOUS_KEYS": NEXT, "RATE_LIMIT_STORAGE_URL": f"redis://:{HIDDEN}@127.0.0.1:1/0"}
    replica = {"DATABASE_REPLICA_URL": f"postgresql://maya:{HIDDEN}@127.0.0.1:1/quintet?password={HIDDEN}"}

    done = run("config", **secrets, **replica)

    assert done.exit_code == 0
    assert [one for one in (SECRET, NEXT, HIDDEN) if one in done.output] == []
    assert f"JWT_SECRET_KEY=********(kid {key_id(SECRET)})" in done.stdout
    assert f"JWT_PREVIOUS_KEYS=********(kid {key_id(NEXT)})" in done.stdout
    assert "postgresql://maya:********@127.0.0.1:1/quintet?password=********" in done.stdout


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql://db.example/quintet", "postgresql://db.example/quintet"),
        ("postgresql://maya@db.example/quintet", "postgresql://maya@db.example/quintet"),
        ("postgresql://maya:p%40ss@a:1,b:2/q?x=1", "postgresql://maya:********@a:1,b:2/q?x=1"),
        ("postgresql://maya:pa/ss@db/q", "postgresql://maya:********@db/q"),
        ("postgresql://maya:pa@ss@db/q", "postgresql://maya:********@db/q"),
        ("postgresql:///q?password=hidden&x=1", "postgresql:///q?password=********&x=1"),
        ("postgresql:///q?x=1&sslpassword=hidden", "postgresql:///q?x=1&sslpassword=********"),
        ("rediss://:hidden@cache:6379/0", "rediss://:********@cache:6379/0"),
        ("redis://hidden@cache:6379/0", "redis://********@cache:6379/0"),
        ("sqlite:////srv/quintet.db", "sqlite:////srv/quintet.db"),
    ],
)
def test_a_password_in_a_url_is_masked_however_it_is_written(url: str, shown: str):
    assert masked_url(url) == shown


def test_what_stands_in_the_file_and_what_in_the_environment_is_told_apart(
    run: Run, own_database: str, own_folder: Path
):
    (own_folder / ".env").write_text("PORT=8123\nDEMO=true\n")

    done = run("config", PORT="8124")

    assert re.search(r"^PORT=8124 +# environment$", done.stdout, re.MULTILINE)
    assert re.search(r"^DEMO=true +# \.env$", done.stdout, re.MULTILINE)


def test_a_misspelled_variable_is_told(run: Run, own_database: str):
    assert "did you mean KEEP_ALIVE?" in run("config", KEEPALIVE="10").stderr


@pytest.mark.parametrize(
    ("variable", "value", "reason"),
    [
        ("PORT", "http", "PORT has to be a whole number"),
        ("DATABASE_URL", f"mysql://maya:{HIDDEN}@db/q", "DATABASE_URL has to be"),
        ("DATABASE_URL", f"postgresql://maya:{HIDDEN}@127.0.0.1:1/q", "refused"),
        ("DATABASE_URL", "sqlite:////proc/version", "the database does not answer: unable to open"),
    ],
)
def test_what_cannot_be_used_is_told_in_one_line(run: Run, own_database: str, variable: str, value: str, reason: str):
    done = run("config", **{variable: value})

    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert done.stderr.startswith("Error: ")
    assert reason in done.stderr
    assert HIDDEN not in done.output


@pytest.mark.parametrize(
    "command", [["account", "list"], ["purge"], ["migrate"], ["migrate", "--check"], ["backup", "x"]]
)
def test_every_command_says_in_one_line_that_the_database_is_away(run: Run, own_folder: Path, command: list[str]):
    done = run(*command, DATABASE_URL=f"postgresql://maya:{HIDDEN}@127.0.0.1:1/q")

    assert (done.exit_code, done.stderr.count("\n")) == (1, 1)
    assert "refused" in done.stderr
    assert HIDDEN not in done.output
