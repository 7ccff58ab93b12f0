"""The contents of many items read into one buffer: by their byte runs in physical order, or through their file system.

Each byte is read once. Neighbours on the source that lie no further apart than a file's last block are read at one go,
for one large read costs less than two small ones and the bytes between.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
from numpy.typing import NDArray

from triage.items.evidence import Evidence
from triage.model.errors import EvidenceError
from triage.model.item import Item
from triage.model.runs import ByteRun

LARGEST = 48 << 20
"""An item with more content than this is read piece by piece."""

_GAP = 32 << 10
_READ = 1 << 20

LEAST = LARGEST + _GAP
"""The smallest buffer: it holds the largest content."""

NOBODY = -1
"""In place of the index of an item: several are read."""

Begin = Callable[[int], None]
"""Told the index of an item before it is touched: if the process dies or hangs now, that was the one."""


@dataclass(frozen=True, slots=True)
class Loaded:
    """One content in the buffer, from `start` to `end`; `failed` says why it could not be read, if so."""

    index: int
    start: int
    end: int
    failed: str | None = None


class Loader:
    """Reads contents of one source into its buffer; what the last call loaded is gone with the next.

    `capacity` is that of the buffer in bytes: `LEAST` at least.
    """

    def __init__(self, evidence: Evidence, capacity: int) -> None:
        self._evidence = evidence
        self._capacity = max(LEAST, capacity)
        self._arena: NDArray[np.uint8] | None = None

    @property
    def arena(self) -> NDArray[np.uint8]:
        """The buffer, made at its first use."""
        if self._arena is None:
            self._arena = np.empty(self._capacity, np.uint8)
        return self._arena

    def load(self, items: Sequence[Item], volume: ByteRun, begin: Begin) -> Iterator[list[Loaded]]:
        """Read items of one volume, none of them over `LARGEST`; yield them in groups that fill the buffer.

        A group is good until the next is asked for. Items are taken in physical order, not in that of the sequence.
        """
        order = sorted(range(len(items)), key=lambda index: _place(items[index]))
        group: list[int] = []
        filled = 0
        for index in order:
            room = items[index].size + _GAP
            if filled + room > self._capacity:
                yield self._read(items, group, volume, begin)
                group, filled = [], 0
            group.append(index)
            filled += room
        if group:
            yield self._read(items, group, volume, begin)

    def windows(self, item: Item) -> Callable[[int, memoryview], None]:
        """Return what fills a buffer with the bytes of a direct content from an offset on."""
        starts = [0, *accumulate(run.length for run in item.runs)]

        def fill(offset: int, window: memoryview) -> None:
            number, done = bisect_right(starts, offset) - 1, 0
            while done < len(window):
                run, begins = item.runs[number], offset + done - starts[number]
                piece = min(run.length - begins, len(window) - done)
                self._fill(run.offset + begins, window[done : done + piece])
                done += piece
                number += 1

        return fill

    def _read(self, items: Sequence[Item], group: list[int], volume: ByteRun, begin: Begin) -> list[Loaded]:
        loaded: list[Loaded] = []
        position = 0
        for stretch in _stretches(items, group):
            # Nobody can tell which of several it is that a read at one go hangs on.
            begin(stretch[0] if len(stretch) == 1 else NOBODY)
            first = items[stretch[0]]
            if len(stretch) > 1 or (first.direct and len(first.runs) == 1):
                position = self._read_stretch(items, stretch, position, loaded)
            else:
                loaded.append(self._read_one(stretch[0], first, volume, position))
                position += first.size
        return loaded

    def _read_stretch(self, items: Sequence[Item], stretch: list[int], at: int, loaded: list[Loaded]) -> int:
        """Read neighbours, and what lies between them, at one go; return where the buffer is free again."""
        start = items[stretch[0]].runs[0].offset
        end = max(items[index].runs[0].end for index in stretch)
        self._fill(start, self._window(at, end - start))
        for index in stretch:
            run = items[index].runs[0]
            begins = at + run.offset - start
            loaded.append(Loaded(index, begins, begins + run.length))
        return at + end - start

    def _read_one(self, index: int, item: Item, volume: ByteRun, at: int) -> Loaded:
        """Read a content in several runs, or one that only its file system can read."""
        self._evidence.source.touched = False
        if item.direct:
            self.windows(item)(0, self._window(at, item.size))
            return Loaded(index, at, at + item.size)
        try:
            data = self._evidence.content(item, volume).read_at(0, item.size)
        except EvidenceError as error:
            return Loaded(index, at, at, str(error))
        self._window(at, len(data))[:] = data
        touched = self._evidence.source.touched and not item.runs
        return Loaded(index, at, at + len(data), "part of the content could not be read" if touched else None)

    def _fill(self, offset: int, window: memoryview) -> None:
        """Read in pieces: between two of them a slow source is seen to be alive."""
        for done in range(0, len(window), _READ):
            self._evidence.source.read_into(offset + done, window[done : done + _READ])

    def _window(self, start: int, length: int) -> memoryview:
        return self.arena.data[start : start + length]


def _place(item: Item) -> tuple[int, int]:
    return (item.runs[0].offset, item.runs[0].length) if item.runs else (0, 0)


def _stretches(items: Sequence[Item], group: list[int]) -> Iterator[list[int]]:
    """Cut items in physical order into those that are read at one go."""
    stretch: list[int] = []
    end = -1
    for index in group:
        item = items[index]
        plain = item.direct and len(item.runs) == 1
        if stretch and plain and 0 <= item.runs[0].offset - end <= _GAP:
            stretch.append(index)
        else:
            if stretch:
                yield stretch
            stretch = [index]
        end = item.runs[0].end if plain else -1 << 62
    if stretch:
        yield stretch
