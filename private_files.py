"""Files that are for their owner alone: the database, with its password hashes, and the key that signs tokens."""

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

FOLDER_MODE = 0o700
FILE_MODE = 0o600
ALL_OTHERS = 0o077

SQLITE_FILES = ("", "-wal", "-shm", "-journal")
"""What the names of an SQLite database's files end in. SQLite gives those that it makes the mode of the first."""


def make_folder(folder: Path) -> None:
    """Make a folder for its owner alone, whatever the umask; one that is there stays as it is. Raises `OSError`."""
    if not folder.is_dir():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(FOLDER_MODE)


def make_database(file: Path | None) -> None:
    """Make the file of an SQLite database, with its folder, where there is to be one and is none. Raises `OSError`."""
    if file is not None:
        make_folder(file.parent)
        with suppress(FileExistsError):
            file.touch(FILE_MODE, exist_ok=False)
            file.chmod(FILE_MODE)


def files_of_database(file: Path) -> list[Path]:
    """Name all files of an SQLite database, whether or not they are there."""
    return [file.with_name(file.name + ending) for ending in SQLITE_FILES]


def narrow(paths: Iterable[Path]) -> list[str]:
    """Take from all but their owner those of these files and folders that are there; return what others still may."""
    return [said for path in paths if (said := _narrow(path))]


def _narrow(path: Path) -> str:
    mode, reason = FOLDER_MODE if path.is_dir() else FILE_MODE, "its file system keeps no modes"
    try:
        if path.stat().st_mode & ALL_OTHERS:
            path.chmod(mode)
        if not path.stat().st_mode & ALL_OTHERS:
            return ""
    except FileNotFoundError:
        return ""
    except OSError as error:
        reason = error.strerror or type(error).__name__
    return f"others may get at {path}; its mode should be {mode:o}, and cannot be changed: {reason}"
