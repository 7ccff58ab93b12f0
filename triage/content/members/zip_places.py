"""Which bytes of a zip archive its entries account for: entries on top of each other, and members that no entry names.

An honest archive holds its members one behind the other. The same bytes under many entries are how bombs are made; a
member's header in bytes that no entry accounts for is one that the directory leaves out.
"""

from bisect import bisect_left, insort
from collections.abc import Iterator

from triage.content.members.member import Container
from triage.content.members.zip_headers import Entry, next_local_entry

_LEAST = 100
"""Bytes of a gap that is worth a look: a header, a name and a picture take more."""
_LATEST_VERSION = 63
_METHODS = frozenset({*range(20), *range(93, 100)})
_LONGEST_NAME = 4096


class Places:
    """The bytes that entries account for, in order."""

    def __init__(self) -> None:
        self._taken: list[tuple[int, int]] = []

    def take(self, start: int, end: int) -> bool:
        """Account for bytes; return whether they were free."""
        at = bisect_left(self._taken, (start, end))
        if at and self._taken[at - 1][1] > start:
            return False
        if at < len(self._taken) and self._taken[at][0] < end:
            return False
        insort(self._taken, (start, end))
        return True

    def gaps(self, end: int) -> Iterator[tuple[int, int]]:
        """Yield the stretches before `end` that no entry accounts for."""
        position = 0
        for start, stop in [*self._taken, (end, end)]:
            if min(start, end) - position >= _LEAST:
                yield position, min(start, end)
            position = max(position, stop)


def left_out(container: Container, places: Places, end: int) -> Iterator[Entry]:
    """Yield the entries that headers before `end` make where no entry of the directory accounts for the bytes."""
    for start, stop in list(places.gaps(end)):
        position: int | None = start
        while position is not None and position < stop:
            entry, position = next_local_entry(container, position, stop)
            if entry is not None and _is_plausible(container, entry):
                yield entry
            elif entry is not None:
                position = entry.header + 4


def _is_plausible(container: Container, entry: Entry) -> bool:
    """Tell a header from four bytes that only look like one, as programs that read archives have them."""
    version = int.from_bytes(container.read(entry.header + 4, 1), "little")
    return version <= _LATEST_VERSION and entry.method in _METHODS and 0 < len(entry.name) <= _LONGEST_NAME
