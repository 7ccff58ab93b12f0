"""Compound files (OLE): folders and streams in one file, the form of old Office documents, Outlook messages, thumbs.db.

Streams are read from the file as they are asked for; chains that run in circles end where they would begin again.

Source: [MS-CFB].
"""

import struct
from array import array
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

from triage.content.members.member import Container, ObstacleError, damaged, from_filetime
from triage.model.trouble import TroubleCode

_LAST_SECTOR = 0xFFFFFFFA
_HEADER = 512
_SHIFTS = (9, 12)
_MINI = 64
_ENTRY = 128
_STORAGE, _STREAM, _ROOT = 1, 2, 5
_NONE = 0xFFFFFFFF
_MOST_ENTRIES = 500_000
_DEEPEST = 64


@dataclass(frozen=True, slots=True)
class _Entry:
    name: str
    kind: int
    left: int
    right: int
    child: int
    modified: int | None
    start: int
    size: int


@dataclass(frozen=True, slots=True)
class StreamEntry:
    """A stream: `path` has a name a level, `size` is claimed, `modified` is its folder's, as streams have none."""

    path: tuple[str, ...]
    size: int
    modified: int | None
    start: int


class Compound:
    """A compound file. Raises ObstacleError for one whose allocation table or directory cannot be read."""

    def __init__(self, container: Container) -> None:
        self._container = container
        header = container.exactly(0, _HEADER)
        shift, mini_shift = struct.unpack_from("<HH", header, 30)
        directory, _, cutoff, mini, _count, more, _more_count = struct.unpack_from("<IIIIIII", header, 48)
        if shift not in _SHIFTS or 1 << mini_shift != _MINI:
            raise damaged("sectors of a size that no compound file has")
        self._sector = 1 << shift
        self._wide = shift != _SHIFTS[0]
        self._cutoff = cutoff
        self._table = self._words(self._table_sectors(header, more))
        self._mini_table = self._words(self._chain(mini, self._table))
        self._entries = list(self._read_entries(directory))
        if not self._entries or self._entries[0].kind != _ROOT:
            raise damaged("the directory is damaged")
        self._mini_sectors = list(self._chain(self._entries[0].start, self._table))

    def _sector_at(self, number: int) -> bytes:
        return self._container.read((number + 1) * self._sector, self._sector)

    def _table_sectors(self, header: bytes, more: int) -> Iterator[int]:
        """Yield the sectors of the allocation table: the first 109 are in the header, the others in a chain."""
        yield from (number for number in struct.unpack_from("<109I", header, 76) if number < _LAST_SECTOR)
        seen = set[int]()
        while more < _LAST_SECTOR and more not in seen:
            seen.add(more)
            words = self._words(iter((more,)))
            if not words:
                return
            yield from (number for number in words[:-1] if number < _LAST_SECTOR)
            more = words[-1]

    def _words(self, sectors: Iterator[int]) -> "array[int]":
        """Return sectors as 32-bit numbers; no more of them than the file has room for."""
        words = array("I")
        for number in islice(sectors, 1 + self._container.size // self._sector):
            data = self._sector_at(number)
            words.frombytes(data[: len(data) & ~3])
        return words

    def _chain(self, start: int, table: "array[int]") -> Iterator[int]:
        """Yield the sectors of a chain; it cannot be longer than its table."""
        for _ in range(len(table)):
            if start >= len(table):
                return
            yield start
            start = table[start]

    def _read_entries(self, start: int) -> Iterator[_Entry]:
        most = _MOST_ENTRIES * _ENTRY // self._sector
        for at, number in enumerate(islice(self._chain(start, self._table), self._container.size // self._sector + 1)):
            if at >= most:
                raise ObstacleError(TroubleCode.LIMIT, f"a directory of more than {_MOST_ENTRIES} entries")
            data = self._sector_at(number)
            yield from (self._entry(data[place : place + _ENTRY]) for place in range(0, len(data) - _ENTRY + 1, _ENTRY))

    def _entry(self, data: bytes) -> _Entry:
        length, kind, _colour, left, right, child = struct.unpack_from("<HBBIII", data, 64)
        (modified,) = struct.unpack_from("<Q", data, 108)
        start, size = struct.unpack_from("<IQ", data, 116)
        name = data[: min(max(0, length - 2), 62) & ~1].decode("utf-16-le", "surrogatepass")
        name = name.encode("utf-8", "surrogatepass").decode("utf-8", "surrogateescape")
        return _Entry(
            name, kind, left, right, child, from_filetime(modified), start, size if self._wide else size & _NONE
        )

    def streams(self) -> Iterator[StreamEntry]:
        """Yield the streams that the directory leads to, folder by folder, then those that it does not lead to."""
        waiting: list[tuple[int, tuple[str, ...], int | None]] = [(self._entries[0].child, (), None)]
        seen = {0}
        while waiting:
            number, path, modified = waiting.pop()
            if number >= len(self._entries) or number in seen:
                continue
            seen.add(number)
            entry = self._entries[number]
            waiting += [(entry.right, path, modified), (entry.left, path, modified)]
            inner = (*path, entry.name)
            if entry.kind == _STORAGE and len(path) < _DEEPEST:
                waiting.append((entry.child, inner, entry.modified))
            elif entry.kind == _STREAM:
                yield StreamEntry(inner, entry.size, modified, entry.start)
        for number, entry in enumerate(self._entries):
            if number not in seen and entry.kind == _STREAM and entry.size:
                yield StreamEntry(("(lost)", entry.name), entry.size, None, entry.start)

    def read(self, stream: StreamEntry, most: int | None = None) -> bytes:
        """Return a stream's bytes, or the first of them; fewer where its chain ends early.

        Raises ObstacleError where they are too many to be held.
        """
        size = min(stream.size, self._container.size, stream.size if most is None else most)
        if size > self._container.limits.held:
            raise ObstacleError(TroubleCode.LIMIT, f"a stream of {size} bytes")
        self._container.budget.spend(size)
        if stream.size < self._cutoff:
            parts = (self._mini_sector(number) for number in self._chain(stream.start, self._mini_table))
            unit = _MINI
        else:
            parts = (self._sector_at(number) for number in self._chain(stream.start, self._table))
            unit = self._sector
        return b"".join(islice(parts, -(-size // unit)))[:size]

    def _mini_sector(self, number: int) -> bytes:
        """Return a sector of the stream of small streams, which is the root's."""
        at, inside = divmod(number * _MINI, self._sector)
        return self._sector_at(self._mini_sectors[at])[inside : inside + _MINI] if at < len(self._mini_sectors) else b""
