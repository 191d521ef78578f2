"""Shared counts: requests by caller, in memory that the workers of one start have in common."""

from fcntl import LOCK_EX, LOCK_UN, lockf
from hashlib import blake2b
from multiprocessing.heap import Arena
from secrets import token_bytes
from struct import Struct

ENTRY = Struct("<16sdQ")
"""A caller, by the hash of its name; when its window ends, in seconds of Unix time; its requests since that began."""

SETS, ENTRIES_OF_A_SET = 4_096, 16
"""Up to 65,536 callers are counted at once, in 2 MiB. A caller's name says in which set its entry is."""

LATE_SECONDS = 5
"""How much later than others a process may count a request whose time it has read."""

SET_BYTES = ENTRIES_OF_A_SET * ENTRY.size


class SharedCounts:
    """Counts requests of callers in windows of time, for all processes that it was handed to as they were spawned.

    A set that is full forgets the caller whose window ends first. The lock is the system's: it goes with the process
    that holds it, so one that is killed keeps nobody waiting. Nothing that such a process left half written counts for
    longer than a window.
    """

    def __init__(self) -> None:
        # Nobody outside can choose names that meet in one set.
        self.key = token_bytes(16)
        self.memory = Arena(SETS * SET_BYTES)

    def count(self, caller: str, *, at: float, window: float) -> tuple[int, float]:
        """Count a request at a time; return how many the caller has sent in its window, and when that ends.

        Times are in seconds of Unix time, `window` is in seconds and the same for all.
        """
        name = blake2b(caller.encode(), digest_size=16, key=self.key).digest()
        start = int.from_bytes(name[:2]) % SETS * SET_BYTES
        lockf(self.memory.fd, LOCK_EX, SET_BYTES, start)
        try:
            return self._count(name, start, at, at + window)
        finally:
            lockf(self.memory.fd, LOCK_UN, SET_BYTES, start)

    def _count(self, name: bytes, start: int, at: float, latest: float) -> tuple[int, float]:
        entries = list(ENTRY.iter_unpack(self.memory.buffer[start : start + SET_BYTES]))
        # What has ended, or ends later than any window can, is free; so is what is to be forgotten.
        ends = [end if at < end <= latest + LATE_SECONDS else 0 for _, end, _ in entries]
        place = next((place for place, entry in enumerate(entries) if entry[0] == name), None)
        if place is None:
            place = ends.index(min(ends))
            ends[place] = 0
        count, end = (entries[place][2] + 1, ends[place]) if ends[place] else (1, latest)
        ENTRY.pack_into(self.memory.buffer, start + place * ENTRY.size, name, end, count)
        return count, end
