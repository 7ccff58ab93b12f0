"""Where in a window of bytes a file may begin: the inner loop of carving.

Two bytes of each signature are compared over the whole window at once, and the few places that have them are looked at
one by one. Of sectors only the first bytes are touched.
"""

from bisect import bisect_left
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from triage.content.carving.formats import FORMATS, HEAD, format_at
from triage.content.carving.stretch import BLOCK, Stretch

SECTOR = 512

_MARKS = {at: sorted({one.mark for one in FORMATS if one.at == at}) for at in sorted({one.at for one in FORMATS})}
_AT = {one.mark: one.at for one in FORMATS}

Words = NDArray[np.uint16]


class Window:
    """The places in one block of a stretch; each kind of look at it is taken at most once.

    `end` is the offset after the last place.
    """

    def __init__(self, stretch: Stretch, offset: int, step: int) -> None:
        self._start = offset // BLOCK * BLOCK
        self._stretch = stretch
        self._step = step
        self._seen: dict[int, list[int]] = {}
        self.end = min(self._start + BLOCK, stretch.size)

    def first(self, start: int, by_sectors_until: int, finely_until: int) -> int | None:
        """Return the first place from an offset on: sectors at first, then any byte, and from there on by steps."""
        for step, until in ((SECTOR, by_sectors_until), (1, finely_until), (self._step, self.end)):
            end = min(until, self.end)
            places = self._places(step) if start < end else []
            index = bisect_left(places, start)
            if index < len(places) and places[index] < end:
                return places[index]
            start = max(start, end)
        return None

    def _places(self, step: int) -> list[int]:
        if step not in self._seen:
            look = self._anywhere if step == 1 else at_sectors
            self._seen[step] = [self._start + place for place in look(self._stretch.take(self._start, BLOCK))]
        return self._seen[step]

    def _anywhere(self, block: bytes) -> list[int]:
        """Return the places in a block; the heads of the last few go on in the next, and are looked at with it."""
        seam = max(0, len(block) - HEAD)
        heads = self._stretch.take(self._start + seam, 2 * HEAD)
        last = [seam + place for place in at_any_byte(heads) if seam + place < len(block)]
        return [place for place in at_any_byte(block) if place < seam] + last


def at_sectors(data: bytes) -> list[int]:
    """Return the offsets of the sectors that a file begins in, ascending."""
    padded = data.ljust(-(-len(data) // SECTOR) * SECTOR, b"\0")
    sectors = np.frombuffer(padded, "<u2").reshape(-1, SECTOR // 2)
    marked = np.zeros(len(sectors), np.bool_)
    for at, marks in _MARKS.items():
        marked |= _equal(np.ascontiguousarray(sectors[:, at // 2]), marks)
    starts = (np.flatnonzero(marked) * SECTOR).tolist()
    return [start for start in starts if format_at(data, start)]


def at_any_byte(data: bytes) -> list[int]:
    """Return the offsets at which a file begins, ascending."""
    starts = (place - _AT[data[place : place + 2]] for place in _marked(data))
    return sorted(start for start in starts if start >= 0 and format_at(data, start))


def _marked(data: bytes) -> Iterator[int]:
    """Yield the places of every mark: the even ones, then the odd ones."""
    for shift in range(min(2, len(data))):
        words = np.frombuffer(data, "<u2", (len(data) - shift) // 2, shift)
        yield from (np.flatnonzero(_equal(words, list(_AT))) * 2 + shift).tolist()


def _equal(words: Words, marks: list[bytes]) -> NDArray[np.bool_]:
    """Tell for each word whether it is one of the marks."""
    found: NDArray[np.bool_] = words == int.from_bytes(marks[0], "little")
    for mark in marks[1:]:
        found |= words == int.from_bytes(mark, "little")
    return found
