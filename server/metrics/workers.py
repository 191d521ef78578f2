"""What the processes of one start share: a folder with the numbers of each, from which any of them answers a scrape.

A process takes the first place that is free, and its successor takes it over with its counters, so that there are
never more files than processes at once, however often these are renewed. Places are locks: the operating system opens
one when its process ends, in whichever way.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Where prometheus_client looks for the folder."""

FILE_BYTES = {"counter": 2**20, "histogram": 2**20, "gauge_livesum": 2**16, "gauge_livemax": 2**16}
"""How much each file is given: more than all series of a process take. A file that had to grow on a full disk would end
its process, for it is written as memory."""

_places: list[IO[bytes]] = []


@contextmanager
def metrics_folder() -> Iterator[None]:
    """Make a folder for the processes that are started meanwhile, and remove it at the end."""
    with TemporaryDirectory(prefix="quintet-metrics-") as folder:
        os.environ[VARIABLE] = folder
        try:
            yield
        finally:
            del os.environ[VARIABLE]


def shared_folder() -> Path | None:
    """Find the folder of this process and its siblings; None where it serves alone."""
    return Path(os.environ[VARIABLE]) if VARIABLE in os.environ else None


def take_place(folder: Path) -> int:
    """Take the first free place for as long as this process lives, and make its files. Raises `OSError`."""
    number, place = next((number, place) for number in count() if (place := _locked(folder, number)))
    _places.append(place)
    for kind, size in FILE_BYTES.items():
        file = folder / f"{kind}_{number}.db"
        if not file.exists():
            file.write_bytes(bytes(size))
    return number


def free_places(folder: Path) -> Iterator[int]:
    """Yield the places whose processes have ended, each locked until the next is asked for."""
    for number in sorted(int(file.name.removeprefix("place_")) for file in folder.glob("place_*")):
        place = _locked(folder, number)
        if place is not None:
            with place:
                yield number


def _locked(folder: Path, number: int) -> IO[bytes] | None:
    place = (folder / f"place_{number}").open("wb")
    try:
        fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        place.close()
        return None
    return place
