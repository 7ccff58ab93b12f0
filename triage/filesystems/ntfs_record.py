"""One record of an NTFS master file table, taken from its own bytes where it is plain and sound.

What is returned is what The Sleuth Kit makes of the record. It is asked itself about whatever is odd: a record that is
torn, belongs to another one or has a list of attributes; two attributes of one number or two contents of one name; an
attribute of no known type, without its place or with a part of its run list missing or outside the volume; a name of
an attribute that is not plain text; a size of 0 with runs; an end marker in the last bytes of the record. Facts: the
NTFS documentation of libfsntfs, and how The Sleuth Kit 4.15 reads records.
"""

import struct
from collections.abc import Sequence
from typing import NamedTuple

from triage.filesystems.tsk_names import NTFS_DATA, NTFS_INDEX_ROOT, Stored
from triage.model.item import Times
from triage.model.runs import ByteRun, Runs

_STANDARD, _LIST, _NAME, _INDEX, _END = 0x10, 0x20, 0x30, 0xA0, 0xFFFFFFFF
_KNOWN = frozenset(range(0x10, 0x101, 0x10)) - {_LIST}
_ALWAYS_INSIDE = frozenset({_STANDARD, _NAME, NTFS_INDEX_ROOT})
_NO_BASE = bytes(8)
_HEADER, _OUTSIDE_HEADER = 24, 64
_LEAST_STANDARD, _LEAST_START, _LEAST_RUNS_AT = 48, 16, 48  # what the library takes for the least
_LETTERS = 66
_DOS_ONLY = 2
_IN_USE, _DIRECTORY = 1, 2
_COMPRESSED, _ENCRYPTED = 1, 0x4000
_MOST_UNIT = 16
_MOST = 1 << 63
EPOCH = 116_444_736_000_000_000
SECOND = 10_000_000
LATEST = ((1 << 32) * SECOND) - 1
_HEAD = struct.Struct("<HHHH").unpack_from
_ATTRIBUTE = struct.Struct("<IIBBHHHIHxx").unpack_from
_OUTSIDE = struct.Struct("<QQHHxxxxQQQ").unpack_from
_TIMES = struct.Struct("<QQQQ").unpack_from


class OddError(ValueError):
    """What is not plain: The Sleuth Kit is asked instead."""


class Geometry(NamedTuple):
    """Where the clusters of a volume lie: their size in bytes, how many there are, where the volume is in the source.

    `size` is how many bytes of the volume the source has, `readable` up to where in it The Sleuth Kit reads.
    """

    block_size: int
    blocks: int
    start: int
    size: int
    readable: int


class Attribute(NamedTuple):
    """An attribute outside of the record: sizes in bytes, and its runs: length and offset in the volume, -1 a hole."""

    size: int
    allocated: int
    written: int
    compressed: bool
    pairs: list[tuple[int, int]]


class FileRecord(NamedTuple):
    """A record in use or free; `is_used` where it holds anything.

    `names` are its long names: the reference of the directory, the name in UTF-16.

    `root` is the content of the root of its index, `indices` are the other parts of it.
    """

    sequence: int
    in_use: bool
    is_directory: bool
    is_used: bool
    times: Times
    stored: tuple[Stored, ...]
    names: list[tuple[int, bytes]]
    root: bytes | None
    indices: Sequence[Attribute]


def file_record(raw: bytes, geometry: Geometry) -> FileRecord | None:
    """Return what a record holds whose ends of sectors were put back, None where it is odd."""
    try:
        return _parsed(raw, geometry)
    except (OddError, IndexError, struct.error):
        return None


def _parsed(raw: bytes, geometry: Geometry) -> FileRecord:
    sequence, _, position, flags = _HEAD(raw, 16)
    if raw[32:40] != _NO_BASE:
        raise OddError
    parts = _Parts(raw, geometry)
    numbers: set[int] = set()
    while True:
        kind, length, outside, _, at, _, number, *_ = _ATTRIBUTE(raw, position)
        if kind == _END:
            break
        end = position + length
        if kind not in _KNOWN or length < _HEADER or end > len(raw) or at > length or number in numbers:
            raise OddError
        numbers.add(number)
        if outside:
            parts.add_outside(kind, position, end)
        else:
            parts.add_inside(kind, position, end)
        position = end
    stored, times = tuple(parts.stored), parts.times
    if len(stored) > 1 and len({(part.type, part.name) for part in stored}) < len(stored):
        raise OddError
    in_use, is_directory = bool(flags & _IN_USE), bool(flags & _DIRECTORY)
    held = times or Times(), stored, parts.names, parts.root, parts.indices
    return FileRecord(sequence, in_use, is_directory, bool(numbers), *held)


class _Parts:
    """What is collected from attribute to attribute; each lies between two positions in the record."""

    def __init__(self, raw: bytes, geometry: Geometry) -> None:
        self._raw = raw
        self._geometry = geometry
        self.times: Times | None = None
        self.root: bytes | None = None
        self.stored: list[Stored] = []
        self.names: list[tuple[int, bytes]] = []
        self.indices: list[Attribute] = []

    def add_inside(self, kind: int, position: int, end: int) -> None:
        """Take an attribute that lies in the record."""
        raw = self._raw
        _, length, _, letters, at, _, number, size, start = _ATTRIBUTE(raw, position)
        content = position + start
        if start + size > length:
            raise OddError
        if kind == _NAME:
            _add_name(raw, content, end, start, self.names)
        elif kind == _STANDARD:
            if self.times is not None or not _LEAST_START <= start <= length - _LEAST_STANDARD:
                raise OddError
            self.times = _times(raw, content)
        elif kind in {NTFS_DATA, NTFS_INDEX_ROOT}:
            name = _label(raw, position + at, letters, end)
            self.stored.append(Stored(kind, number, name, 0, size, (), encrypted=False, direct=False))
            if kind == NTFS_INDEX_ROOT:
                if self.root is not None:
                    raise OddError
                self.root = raw[content : content + size]

    def add_outside(self, kind: int, position: int, end: int) -> None:
        """Take an attribute that lies outside of the record."""
        raw = self._raw
        _, length, _, letters, at, state, number, *_ = _ATTRIBUTE(raw, position)
        first, _, runs_at, unit, allocated, size, written = _OUTSIDE(raw, position + 16)
        if kind in _ALWAYS_INSIDE or first or not number or unit > _MOST_UNIT or length < _OUTSIDE_HEADER:
            raise OddError
        if not _LEAST_RUNS_AT <= runs_at < length or not size <= allocated < _MOST:
            raise OddError
        pairs = mapping_pairs(raw, position + runs_at, end, self._geometry)
        if not size and pairs:
            raise OddError
        found = Attribute(size, allocated, written, bool(unit and state & _COMPRESSED), pairs)
        if kind == NTFS_DATA:
            name = _label(raw, position + at, letters, end)
            self.stored.append(_stored(found, number, name, bool(state & _ENCRYPTED), self._geometry))
        elif kind == _INDEX:
            self.indices.append(found)


def _label(raw: bytes, position: int, letters: int, end: int) -> bytes:
    """Return the name of an attribute in UTF-8. The library takes one for none that ends where its attribute does."""
    if not letters:
        return b""
    stop = position + 2 * letters
    if stop >= end:
        raise OddError
    try:
        name = raw[position:stop].decode("utf-16-le")
    except UnicodeDecodeError:
        raise OddError from None
    if not name.isprintable():
        raise OddError
    return name.encode()


def _add_name(raw: bytes, position: int, end: int, start: int, names: list[tuple[int, bytes]]) -> None:
    letters = position + _LETTERS
    if start < _LEAST_START or letters > end:
        raise OddError
    if raw[letters - 1] == _DOS_ONLY:
        return
    stop = letters + 2 * raw[letters - 2]
    if stop > end:
        raise OddError
    names.append((int.from_bytes(raw[position : position + 8], "little"), raw[letters:stop]))


def mapping_pairs(raw: bytes, position: int, end: int, geometry: Geometry) -> list[tuple[int, int]]:
    """Return the runs of an attribute: length in bytes and offset in the volume, -1 for a hole. Raises OddError."""
    block_size, blocks, *_ = geometry
    found: list[tuple[int, int]] = []
    cluster = 0
    while position < end:
        width = raw[position] & 15
        if not width:
            if len(found) == 1 and found[0] == (blocks * block_size, -1):
                raise OddError  # the list of bad clusters, of which the library says that it has no run
            return found
        middle = position + 1 + width
        stop = middle + (raw[position] >> 4)
        count = int.from_bytes(raw[position + 1 : middle], "little", signed=True)
        if width > 8 or stop > middle + 8 or stop >= end or not 0 < count <= blocks:  # noqa: PLR2004 - as 64 bits hold
            raise OddError
        if stop == middle:
            found.append((count * block_size, -1))
        else:
            step = int.from_bytes(raw[middle:stop], "little", signed=True)
            cluster += step
            # Steps of 0 and of -1 are holes too, or not, as the version has it and what came before.
            if -1 <= step <= 0 or cluster < 0 or cluster + count > blocks:
                raise OddError
            found.append((count * block_size, cluster * block_size))
        position = stop
    raise OddError


def _stored(found: Attribute, number: int, name: bytes, encrypted: bool, geometry: Geometry) -> Stored:
    """Return a content that lies outside of the record, as `tsk_names` does from what the library says."""
    claimed = size = found.size
    runs, span, whole = _runs(found.pairs, geometry, _MOST if found.compressed else claimed)
    missing = 0
    if not found.compressed and span < claimed:
        missing, size = (claimed - span if span or not name else 0), span
    direct = whole and 0 < size <= found.written < _MOST and not found.compressed and not encrypted
    return Stored(NTFS_DATA, number, name, missing, size, runs, encrypted, direct)


def _runs(pairs: list[tuple[int, int]], geometry: Geometry, limit: int) -> tuple[Runs, int, bool]:
    """Return the runs in the source up to a limit, the length of all with holes, and whether they are the content."""
    runs: list[ByteRun] = []
    span, whole = 0, True
    for length, start in pairs:
        wanted = min(length, limit - span)
        if span < limit and not 0 <= start <= geometry.readable - wanted:
            whole = False
        if start >= 0:
            inside = min(wanted, geometry.size - start)
            if inside > 0:
                runs.append(ByteRun(geometry.start + start, inside))
        span += length
    return tuple(runs), span, whole and span >= limit


def _times(raw: bytes, position: int) -> Times:
    created, modified, changed, accessed = _TIMES(raw, position)
    return Times(_nanoseconds(modified), _nanoseconds(created), _nanoseconds(accessed), _nanoseconds(changed))


def _nanoseconds(ticks: int) -> int | None:
    """Return nanoseconds since 1970; of what 32 bits of seconds do not hold, the library keeps less than a second."""
    since = ticks - EPOCH
    return (since if 0 <= since <= LATEST else ticks % SECOND) * 100 or None
