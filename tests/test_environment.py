"""Where settings come from: the environment, the file `.env`, and names that are nearly right."""

import re
from pathlib import Path

import pytest

from app import main
from environment import VARIABLES, SettingError, misspelled, read_environment
from settings import read_settings
from tests.readme import sections

pytestmark = pytest.mark.usefixtures("own_folder")


def test_the_environment_stands_above_the_file(own_folder: Path, monkeypatch: pytest.MonkeyPatch):
    (own_folder / ".env").write_text("# Settings\nPORT=81\nHOST='0.0.0.0'\nDEBUG\nexport RATE_LIMIT_PER_MINUTE=7\n")
    for name in ("HOST", "DEBUG", "RATE_LIMIT_PER_MINUTE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PORT", "82")

    found = read_settings()

    assert (found.host, found.port, found.debug, found.rate_limit_per_minute) == ("0.0.0.0", 82, False, 7)


def test_the_file_may_be_missing(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("PORT", "83")

    assert read_settings().port == 83


def test_a_file_that_cannot_be_read_is_refused(own_folder: Path):
    (own_folder / ".env").write_bytes(b"PORT=\xff\xfe\n")

    with pytest.raises(SettingError, match=r"\.env cannot be read"):
        read_settings()


def test_a_bad_value_in_the_file_is_refused_like_any_other(own_folder: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.delenv("PORT", raising=False)
    (own_folder / ".env").write_text("PORT=eighty\n")

    with pytest.raises(SettingError, match="PORT has to be"):
        read_settings()


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("hidden words\n", 1),
        ("PORT=81\n\n# Below an empty line\n\n  =hidden\nHOST=::1\n", 5),
        ("PORT=81\nJWT_SECRET_KEY='hidden\nHOST=::1\n", 2),
        ("PORT=81\r\nHOST='::1'\r\n\r\nDEBUG='true' hidden\r\n", 4),
        ("HOST='two\nlines'\n'hidden\nalso hidden", 3),
    ],
)
def test_a_line_that_cannot_be_parsed_is_refused_by_its_number(own_folder: Path, text: str, line: int):
    (own_folder / ".env").write_bytes(text.encode())

    with pytest.raises(SettingError) as refusal:
        read_settings()

    assert str(refusal.value) == f".env, line {line}: this has to be NAME=value, with every quotation mark closed"


def test_a_folder_in_the_place_of_the_file_is_refused(own_folder: Path):
    (own_folder / ".env").mkdir()

    with pytest.raises(SettingError, match=r"\.env cannot be read"):
        read_settings()


@pytest.mark.parametrize(
    ("name", "known"),
    [
        ("DATABSE_URL", "DATABASE_URL"),
        ("DATABASE_URI", "DATABASE_URL"),
        ("Database_Url", "DATABASE_URL"),
        ("JWT_SECRET_KEYS", "JWT_SECRET_KEY"),
        ("ALLOWED_ORIGIN", "ALLOWED_ORIGINS"),
        ("HTTP_ONLY", "HTTPS_ONLY"),
        ("PORTS", "PORT"),
    ],
)
def test_a_misspelled_variable_is_told_with_the_one_that_it_is_like(own_folder: Path, name: str, known: str):
    (own_folder / ".env").write_text(f"{name}=hidden\n")

    warnings = misspelled(read_environment())

    assert f"unknown variable {name!r}; did you mean {known}?" in warnings
    assert "hidden" not in "".join(warnings)


def test_what_is_known_or_somebody_elses_is_not_told():
    others = ("HOME", "HOSTNAME", "PGHOST", "PGPORT", "DB_HOST", "TEST_DATABASE_URL", "REDIS_URL", "DEBUGINFOD_URLS")

    assert misspelled([*VARIABLES, *others]) == []


def test_help_and_readme_list_every_variable(capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as end:
        main(["--help"])

    helped = set(re.findall(r"^  ([A-Z_]+)  ", capsys.readouterr().out, re.MULTILINE))
    assert end.value.code == 0
    assert helped == VARIABLES.keys()
    assert VARIABLES.keys() <= set(re.findall(r"`([A-Z_]+)`", sections()["Settings"]))


@pytest.mark.parametrize("argument", ["--port=80", "serve", "--hel"])
def test_an_unknown_argument_is_an_error_of_usage(argument: str, capsys: pytest.CaptureFixture[str]):
    with pytest.raises(SystemExit) as end:
        main([argument])

    assert end.value.code == 2
    assert f"error: unrecognized arguments: {argument}" in capsys.readouterr().err
