"""Which records of an NTFS master file table name which directory as theirs, and which are free: one reading of it all.

The Sleuth Kit adds to a directory what says of itself that it is in it, and looks for orphans among the free records.
Here the same is known from 12 bytes for each name and 4 for each free record, without an object for any of them.
Facts: the NTFS documentation of libfsntfs.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from triage.filesystems.ntfs_record import Geometry
from triage.filesystems.ntfs_rows import ROW, Rows
from triage.filesystems.pieces import Pieces
from triage.model.runs import Runs

_PIECE = 1 << 20
_STRIDE = 512
_LEAST = 16
_KNOWN = np.zeros(0x100, np.bool_)
_KNOWN[0x10 >> 4 : 0x110 >> 4] = True
_LIST, _NAME, _END = 0x20, 0x30, 0xFFFFFFFF
_LETTERS = 66
_DOS_ONLY = 2
_BITS = 61
_PRIME = (1 << _BITS) - 1  # times a power of two are bits turned round
MOST_ROWS = 1 << 20
"""The rows of so many records are kept, which is 56 MiB."""
_REFERENCE = np.uint64((1 << 48) - 1)

Numbers = NDArray[np.uint32]
Flags = NDArray[np.bool_]


class Table(NamedTuple):
    """What the records say: `children[i]` names the directory of reference `parents[i]`, sorted by both.

    `free` are the records not in use that hold attributes, `bases` tells those of them that do not belong to another
    one. The library has to be asked about those in `odd`, whose names are not in `parents`, and whether it can read
    those in `listed`, which have a list of attributes: all that other records say for them is in `parents`.
    """

    parents: NDArray[np.uint64]
    children: Numbers
    sums: NDArray[np.uint64]
    free: Numbers
    bases: Flags
    odd: Numbers
    listed: Numbers
    rows: bytes = b""

    def named(self, parent: int) -> list[tuple[int, int]]:
        """Return the records that name the directory of a reference as theirs, and the `checksum` of each name."""
        first, last = np.searchsorted(self.parents, np.array([parent, parent + 1], np.uint64))
        return list(zip(self.children[first:last].tolist(), self.sums[first:last].tolist(), strict=True))


class _Part(NamedTuple):
    parents: NDArray[np.uint64]
    children: Numbers
    sums: NDArray[np.uint64]
    free: Numbers
    bases: Flags
    odd: Numbers
    listed: Numbers
    rows: Any


def checksum(letters: bytes) -> int:
    """Return what a name in UTF-16 is told by from others of the same record: the rest of a division by a prime."""
    return int.from_bytes(letters, "little") % _PRIME


def read_table(pieces: Pieces, runs: Runs, size: int, geometry: Geometry) -> Table | None:
    """Read a table of records of `size` bytes whose runs have offsets in the source.

    None where a byte cannot be read, or where a record has fewer ends of sectors to put back than sectors, or is odd
    and belongs to another one: what the library makes of that is for itself to say.
    """
    parts: list[tuple[Any, ...]] = []
    rows = bytearray()
    number = 0
    for block in _blocks(pieces, runs, size):
        part = _part(block, number, geometry)
        if part is None:
            return None
        if number < MOST_ROWS:
            rows += part.rows.tobytes()
        parts.append(part[:-1])
        number += len(block)
    if not parts or pieces.are_hurt(runs):
        return None
    parents, children, sums, *rest = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((children, parents))
    free, bases, odd, listed = rest
    return Table(parents[order], children[order], sums[order], free, bases, odd, listed, bytes(rows))


def with_names(table: Table, names: list[tuple[int, int, int]]) -> Table:
    """Return the table with more names: directory, record and checksum of each."""
    if not names:
        return table
    more = [np.array(column, np.uint64) for column in zip(*names, strict=True)]
    parents = np.concatenate((table.parents, more[0]))
    children = np.concatenate((table.children, more[1].astype(np.uint32)))
    sums = np.concatenate((table.sums, more[2]))
    order = np.lexsort((children, parents))
    return table._replace(parents=parents[order], children=children[order], sums=sums[order])


def _blocks(pieces: Pieces, runs: Runs, size: int) -> Iterator[NDArray[np.uint8]]:
    """Yield records in the order of the table; one at its end of which a part is missing is none."""
    rest = b""
    for run in runs:
        for offset in range(0, run.length, _PIECE):
            start = run.offset - pieces.run.offset + offset
            data = rest + pieces.read_once(start, min(_PIECE, run.length - offset))
            whole = len(data) // size * size
            rest = data[whole:]
            if whole:
                yield np.frombuffer(bytearray(data[:whole]), np.uint8).reshape(-1, size)


def _part(block: NDArray[np.uint8], number: int, geometry: Geometry) -> _Part | None:
    words = block.view("<u2")
    sound = _put_back(words, block.shape[1] // _STRIDE)
    if sound is None:
        return None
    rows = np.flatnonzero(sound)
    base = (block.view("<u8")[rows, 4] & _REFERENCE) == 0
    plain = Rows(block, rows, geometry)
    walked = _walked(block, rows, plain)
    if (walked.odd & ~base).any():
        return None
    parents, named, sums = _named(block, *walked.names)
    numbers = (rows + number).astype(np.uint32)
    # What a record says that belongs to another one is said for that.
    owner = np.zeros(len(block), np.uint32)
    owner[rows] = np.where(base, numbers, block.view("<u8")[rows, 4] & _REFERENCE)
    every = np.zeros(len(block), ROW)
    every[rows] = plain.finish(walked.ended)
    free = ((words[rows, 11] & 1) == 0) & (walked.used | walked.odd)
    odd, listed = numbers[walked.odd], numbers[walked.listed & base & ~walked.odd]
    return _Part(parents, owner[named], sums, numbers[free], base[free], odd, listed, every)


def _put_back(words: Any, sectors: int) -> Flags | None:
    """Put the ends of sectors back; return which records the library reads, None where that cannot be said here."""
    offsets, counts = words[:, 2], words[:, 3]
    expected = counts == sectors + 1
    beyond = (offsets % 2 == 1) | (offsets > 2 * words.shape[1] - 2 * (sectors + 2))
    if ((counts > 0) & (counts <= sectors)).any() or (expected & beyond).any():
        return None
    first = np.where(expected, offsets // 2, 0).astype(np.intp)
    array = np.take_along_axis(words, first[:, None] + np.arange(sectors + 1), axis=1)
    ends = words[:, _STRIDE // 2 - 1 :: _STRIDE // 2]
    sound: Flags = expected & (ends == array[:, :1]).all(axis=1)
    ends[sound] = array[sound, 1:]
    return sound


class _Walked(NamedTuple):
    """Which records have attributes, are odd, have an end and a list, and row and place of each of their long names."""

    used: Flags
    odd: Flags
    ended: Flags
    listed: Flags
    names: tuple[Any, Any]


def _walked(block: NDArray[np.uint8], rows: Any, plain: Rows) -> _Walked:
    """Go from attribute to attribute in all records of a block at once."""
    words, doubles = block.view("<u2"), block.view("<u4")
    size = block.shape[1]
    used, odd, ended, listed = (np.zeros(len(rows), np.bool_) for _ in range(4))
    found, places = [np.empty(0, np.intp)], [np.empty(0, np.intp)]
    at = words[rows, 10].astype(np.intp)
    odd |= at > size - _LEAST
    going = np.arange(len(rows))
    while len(going):
        crooked = at[going] % 4 != 0
        odd[going[crooked]] = True
        going = going[~crooked & (at[going] <= size - _LEAST)]
        row, place = rows[going], at[going]
        kind, length = doubles[row, place // 4], doubles[row, place // 4 + 1].astype(np.intp)
        ended[going[kind == _END]] = True
        more = (kind != _END) & (length > 0) & (place + length <= size)
        going, row, place, kind, length = going[more], row[more], place[more], kind[more], length[more]
        known = (kind % 16 == 0) & (kind <= 0x100)  # noqa: PLR2004 - the last type that there is
        known &= _KNOWN[np.where(known, kind >> 4, 0)] & (words[row, place // 2 + 5] <= length)
        used[going] = True
        named = known & (kind == _NAME)
        content = place + words[row, np.minimum(place // 2 + 10, words.shape[1] - 1)]
        readable = (content % 8 == 0) & (content + _LETTERS <= size) & (block[row, place + 8] == 0)
        known &= readable | ~named
        odd[going[~known]] = True
        listed[going[kind == _LIST]] = True
        long = np.flatnonzero(named & readable)
        long = long[block[row[long], content[long] + _LETTERS - 1] != _DOS_ONLY]
        found.append(row[long])
        places.append(content[long])
        plain.add(going[known], row[known], place[known], kind[known], length[known])
        at[going] += length
        going = going[known]
    return _Walked(used, odd, ended, listed, (np.concatenate(found), np.concatenate(places)))


def _named(block: NDArray[np.uint8], rows: Any, places: Any) -> tuple[Any, Any, Any]:
    """Return directory, row and checksum of each name, in the order of the rows."""
    order = np.argsort(rows, kind="stable")
    rows, places = rows[order], places[order]
    letters = block[rows, places + _LETTERS - 2].astype(np.intp)
    words, last = block.view("<u2"), block.shape[1] // 2 - 1
    sums = np.zeros(len(rows), np.uint64)
    for index in range(int(letters.max(initial=0))):
        shift = np.uint64(16 * index % _BITS)
        word = words[rows, np.minimum((places + _LETTERS) // 2 + index, last)].astype(np.uint64)
        word = np.where(index < letters, word, np.uint64(0))
        sums += ((word << shift) & np.uint64(_PRIME)) | (word >> (np.uint64(_BITS) - shift))
        sums = (sums & np.uint64(_PRIME)) + (sums >> np.uint64(_BITS))
    return block.view("<u8")[rows, places // 8], rows, np.where(sums == _PRIME, np.uint64(0), sums)
