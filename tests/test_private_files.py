from pathlib import Path

import pytest

from private_files import make_database, narrow


def test_what_is_private_or_not_there_needs_no_word(tmp_path: Path):
    make_database(tmp_path / "own" / "quintet.db")

    assert narrow([tmp_path / "own", tmp_path / "own" / "quintet.db", tmp_path / "none", tmp_path / "none" / "x"]) == []


def test_a_mode_that_cannot_be_changed_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    file = tmp_path / "quintet.db"
    file.touch(0o644)

    def refuse(*_: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(Path, "chmod", refuse)

    (told,) = narrow([file])

    assert told == f"others may get at {file}; its mode should be 600, and cannot be changed: Operation not permitted"


def test_a_file_system_without_modes_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    tmp_path.chmod(0o755)
    monkeypatch.setattr(Path, "chmod", lambda *_: None)

    (told,) = narrow([tmp_path])

    assert told.endswith("its mode should be 700, and cannot be changed: its file system keeps no modes")


def test_a_database_that_is_there_is_left_as_it_is(tmp_path: Path):
    (tmp_path / "quintet.db").write_text("rows")

    make_database(tmp_path / "quintet.db")

    assert (tmp_path / "quintet.db").read_text() == "rows"
