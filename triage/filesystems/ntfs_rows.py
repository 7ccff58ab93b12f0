"""Plain files of an NTFS master file table, many at once: what `ntfs_record` says of each, in 56 bytes.

Plain is a file, free or in use, all of whose attributes lie in its record but for the unnamed content, which may lie in
one run outside; about all else `ntfs_record` is asked. Facts: the NTFS documentation of libfsntfs.
"""

import struct
from typing import Any

import numpy as np
import pytsk3

from triage.filesystems.ntfs_record import EPOCH, LATEST, SECOND, Geometry
from triage.filesystems.tsk_directories import Name
from triage.filesystems.tsk_names import NTFS_DATA, Entry, Stored, why_unlocated
from triage.model.item import ItemKind, Times
from triage.model.runs import ByteRun

SIZE = 56
ROW = np.dtype(
    [
        *[("sequence", "<u2"), ("state", "u1"), ("_", "u1"), ("number", "<u2"), ("__", "<u2")],
        *[("size", "<u8"), ("start", "<u8"), ("times", "<u8", (4,))],
    ]
)
_UNPACK = struct.Struct("<HBxHxxQQQQQQ").unpack_from
STRANGE = Entry(b"", 0, False, False, False, ItemKind.FILE, False, False, Times(), 0, None, False, ())
"""Stands for a name that means a record as it was before another file took its place."""

_REGULAR = int(pytsk3.TSK_FS_META_TYPE_REG)
_PLAIN, _IN_USE, _CONTENT, _OUTSIDE, _DIRECT = 1, 2, 4, 8, 16
_FILE = int.from_bytes(b"FILE", "little")
_STANDARD, _LIST, _NAME, _DATA, _INDEX_ROOT, _INDEX = 0x10, 0x20, 0x30, 0x80, 0x90, 0xA0
_HEADER, _OUTSIDE_HEADER, _LEAST_STANDARD, _LEAST_RUNS_AT, _LETTERS = 24, 64, 48, 48, 66
_DOS_ONLY, _DIRECTORY = 2, 2
_LEAST_START = 16  # of the content of an attribute that lies in the record
_CHANGED = 0x4001  # compressed, encrypted
_MOST_UNIT = 16
_NUMBERS = 64
_WIDEST = 6  # bytes of a number of clusters


def plain_entry(rows: bytes, name: Name, sequence: int | None) -> Entry | None:
    """Return what a name stands for whose record is plain, else None.

    `sequence` is that of the record which the name means; of a record in use with another one the entry is `STRANGE`.
    """
    inode, allocated = name[1], name[2]
    own, state, number, size, start, modified, created, accessed, changed = _UNPACK(rows, inode * SIZE)
    if not state:
        return None
    in_use = state & _IN_USE > 0
    if in_use and own != sequence:
        return STRANGE
    stored: tuple[Stored, ...] = ()
    if state & _CONTENT:
        runs = (ByteRun(start, size),) if state & _OUTSIDE else ()
        stored = (Stored(NTFS_DATA, number, b"", 0, size, runs, False, state & _DIRECT > 0),)
    unlocated = None
    if allocated and not in_use:
        unlocated = why_unlocated(name, _REGULAR, in_use, 0, stored)
    return Entry(
        name[0],
        inode,
        allocated,
        in_use and not allocated,
        not in_use,
        ItemKind.FILE,
        False,
        False,
        Times(modified or None, created or None, accessed or None, changed or None),
        0,
        unlocated,
        False,
        stored,
    )


class Rows:
    """The rows of the records of one block; the attributes of all are added round by round."""

    def __init__(self, block: Any, numbers: Any, geometry: Geometry) -> None:
        """Take a block of records whose ends of sectors were put back, and which of them were."""
        self._bytes, self._words = block, block.view("<u2")
        self._doubles, self._quads = block.view("<u4"), block.view("<u8")
        self._geometry = geometry
        self._rows = np.zeros(len(numbers), ROW)
        self._rows["sequence"] = self._words[numbers, 8]
        flags = self._words[numbers, 11]
        self._rows["state"] = _PLAIN | ((flags & 1) * _IN_USE)
        self._plain = (flags & _DIRECTORY == 0) & (self._quads[numbers, 4] == 0) & (self._doubles[numbers, 0] == _FILE)
        self._seen = np.zeros(len(numbers), "<u8")
        self._standard = np.zeros(len(numbers), np.bool_)

    def add(self, going: Any, row: Any, place: Any, kind: Any, length: Any) -> None:
        """Take one attribute of each of some records: their places among all, rows in the block, and its header."""
        words = self._words
        number = words[row, place // 2 + 7]
        bit = np.uint64(1) << np.minimum(number, _NUMBERS - 1).astype("<u8")
        plain = (number < _NUMBERS) & (self._seen[going] & bit == 0) & (length >= _HEADER)
        self._seen[going] |= bit
        inside = self._bytes[row, place + 8] == 0
        header = np.minimum(place, self._bytes.shape[1] - _HEADER)
        start = words[row, header // 2 + 10].astype(np.intp)
        size = self._doubles[row, header // 4 + 4].astype(np.int64)
        plain &= ~inside | (start + size <= length)
        content = kind == _DATA
        plain &= (inside | content) & (kind != _LIST) & (kind != _INDEX_ROOT) & (kind != _INDEX)
        self._plain[going[~plain]] = False
        plain &= ~inside | (start >= _LEAST_START) | ~np.isin(kind, (_STANDARD, _NAME))
        self._plain[going[~plain]] = False
        fits = start <= length - _LEAST_STANDARD
        self._standards(*_some(plain & (kind == _STANDARD), going, row, place + start, fits))
        self._names(*_some(plain & (kind == _NAME), going, row, place + start, length - start))
        held = plain & content
        other = (self._rows["state"][going] & _CONTENT > 0) | (self._bytes[row, place + 9] > 0)
        self._plain[going[held & other]] = False
        self._rows["number"][going[held]] = number[held]
        self._rows["size"][going[held]] = size[held]
        self._rows["state"][going[held]] |= _CONTENT
        self._outside(*_some(held & ~inside, going, row, place, length))

    def finish(self, ended: Any) -> Any:
        """Return the rows; those that are not plain, or do not end as they should, are empty."""
        self._rows[~(self._plain & ended)] = 0
        return self._rows

    def _standards(self, going: Any, row: Any, at: Any, fits: Any) -> None:
        fits = fits & (at % 8 == 0) & ~self._standard[going]
        self._plain[going[~fits]] = False
        self._standard[going] = True
        going, row, at = going[fits], row[fits], at[fits]
        ticks = self._quads[row[:, None], (at // 8)[:, None] + np.array([1, 0, 3, 2])]
        since = ticks - np.uint64(EPOCH)
        known = (ticks >= EPOCH) & (since <= LATEST)
        self._rows["times"][going] = np.where(known, since, ticks % np.uint64(SECOND)) * np.uint64(100)

    def _names(self, going: Any, row: Any, at: Any, room: Any) -> None:
        fits = room >= _LETTERS
        at = np.minimum(at, self._bytes.shape[1] - _LETTERS)
        letters = 2 * self._bytes[row, at + _LETTERS - 2].astype(np.intp)
        fits &= (self._bytes[row, at + _LETTERS - 1] == _DOS_ONLY) | (_LETTERS + letters <= room)
        self._plain[going[~fits]] = False

    def _outside(self, going: Any, row: Any, place: Any, length: Any) -> None:
        """Take contents outside: sizes, and a run list of one run that holds them."""
        block_size, blocks, first, _, readable = self._geometry
        fits = (length >= _OUTSIDE_HEADER) & (place % 8 == 0)
        self._plain[going[~fits]] = False
        going, row, place, length = going[fits], row[fits], place[fits], length[fits]
        words, quads = self._words, self._quads
        at = words[row, place // 2 + 16].astype(np.intp)
        state, unit = words[row, place // 2 + 6], words[row, place // 2 + 17]
        allocated, size, written = (quads[row, place // 8 + index].astype(np.int64) for index in (5, 6, 7))
        fits = (quads[row, place // 8 + 2] == 0) & (words[row, place // 2 + 7] > 0) & (unit <= _MOST_UNIT)
        fits &= (state & _CHANGED == 0) & (at >= _LEAST_RUNS_AT) & (at < length) & (size > 0) & (size <= allocated)
        pair = place + np.minimum(at, length - 1)
        count, cluster, stop = self._pair(row, pair)
        fits &= (stop < place + length) & (count > 0) & (count <= blocks) & (cluster > 0) & (cluster + count <= blocks)
        count, cluster = np.where(fits, count, 0), np.where(fits, cluster, 0)
        fits &= (count * block_size >= size) & (cluster * block_size <= readable - size)
        self._plain[going[~fits]] = False
        self._rows["size"][going] = size
        self._rows["start"][going] = first + cluster * block_size
        direct = (written >= size) * _DIRECT
        self._rows["state"][going] |= (_OUTSIDE | direct).astype("u1")

    def _pair(self, row: Any, at: Any) -> tuple[Any, Any, Any]:
        """Return the clusters and the place of a run list's only run, and where the list ends; -1 where it has more."""
        last = self._bytes.shape[1] - 1
        head = self._bytes[row, at].astype(np.intp)
        width, step = head & 15, head >> 4
        count, cluster = self._number(row, at + 1, width), self._number(row, at + 1 + width, step)
        stop = at + 1 + width + step
        single = (stop <= last) & (self._bytes[row, np.minimum(stop, last)] & 15 == 0)
        return np.where(single, count, -1), cluster, stop

    def _number(self, row: Any, at: Any, width: Any) -> Any:
        """Return numbers of some bytes each, -1 for one that is negative, has none or more than six."""
        places = np.minimum(at[:, None] + np.arange(8), self._bytes.shape[1] - 1)
        data = np.where(np.arange(8) < width[:, None], self._bytes[row[:, None], places], 0).astype("u1")
        top = data[np.arange(len(row)), np.clip(width - 1, 0, 7)]
        value = np.ascontiguousarray(data).view("<i8")[:, 0]
        return np.where((width > 0) & (width <= _WIDEST) & (top < 0x80), value, -1)  # noqa: PLR2004 - the sign


def _some(chosen: Any, *columns: Any) -> tuple[Any, ...]:
    return tuple(column[chosen] for column in columns)
