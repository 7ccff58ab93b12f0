"""Hives: the files in which Windows keeps its registry, read key by key and never as a whole.

Only what a path asks for is read, downwards and a bounded number of times, so that keys that lead back to themselves
and counts beyond all reason cost little. Log files beside a hive are not applied.

Source: M. Suhanov's "Windows registry file format specification", and the documentation of libregf.
"""

import struct
from collections.abc import Callable, Container, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from triage.content.content import Content
from triage.content.members.member import ObstacleError, damaged, unsupported
from triage.model.errors import EvidenceError
from triage.model.trouble import TroubleCode

SIGNATURE = b"regf"

_BASE = 4096  # of the first block; offsets of cells are counted from its end
_READ_COST = 512  # the least that a read counts, so that many small ones are bounded too
_MOST_READ = 32 << 20
_MOST_VALUES = 4096  # of one key
_LONGEST_VALUE = 16344  # what is longer is kept in pieces, and nothing that is looked for is
_NAME_ROOM = 512  # bytes: names of keys have 255 characters at most
_KEY_HEAD, _VALUE_HEAD = 76, 20
_ASCII_KEY, _ASCII_VALUE = 0x20, 1
_INLINE = 1 << 31
_LEAVES = {b"lf": 8, b"lh": 8, b"li": 4}  # bytes of an entry
_ROOTS = b"ri"

_Read = TypeVar("_Read")


@dataclass(frozen=True, slots=True)
class Key:
    """A key: its name, when it was last written (FILETIME ticks), and where its keys and values are listed."""

    hive: "Hive"
    name: str
    written: int
    _keys: tuple[int, int]
    _values: tuple[int, int]

    def subkeys(self) -> "Iterator[Key]":
        """Yield the keys in it; those that cannot be read are counted in the hive."""
        count, offset = self._keys
        if count:
            for each in self.hive.listed(offset):
                key = self.hive.attempt(partial(self.hive.key, each))
                if key is not None:
                    yield key

    def at(self, *names: str) -> "Key | None":
        """Return the key at a path below it, in any case of letters; None where there is none."""
        found: Key | None = self
        for name in names:
            if found is None:
                return None
            found = next((key for key in found.subkeys() if key.name.casefold() == name.casefold()), None)
        return found

    def value(self, name: str) -> bytes | None:
        """Return the data of a value, None where there is none, or it cannot be read, which the hive counts."""
        count, offset = self._values
        return self.hive.attempt(partial(self.hive.value, offset, count, name)) if count else None

    def text(self, name: str) -> str:
        """Return a value of text, empty where there is none."""
        return (self.value(name) or b"").decode("utf-16-le", "replace").partition("\0")[0]


class Hive:
    """A hive; `content` is asked for what is looked at.

    `is_dirty`: it was not written to the end, so that log files may hold later changes. `lost` counts keys and values
    that could not be read. Raises EvidenceError, its subclass ObstacleError too, for what is no hive, and anywhere
    else once more is read than any honest one needs.
    """

    def __init__(self, content: Content) -> None:
        self._content = content
        self._left = _MOST_READ
        self.lost = 0
        base = content.read_at(0, 48)
        if len(base) < 48 or not base.startswith(SIGNATURE):  # noqa: PLR2004 - as many as are asked for
            raise damaged("it is no registry hive")
        first, second, major, root = struct.unpack_from("<4xII8xI12xI", base)
        if major != 1:
            raise unsupported(f"registry hives of version {major} are not read")
        self.is_dirty = first != second
        self.root = self.key(root)

    def attempt(self, read: Callable[[], _Read]) -> _Read | None:
        """Return what is read, None where it cannot be."""
        try:
            return read()
        except EvidenceError:
            if self._left < 0:
                raise
            self.lost += 1
            return None

    def key(self, offset: int) -> Key:
        """Return the key in the cell at an offset."""
        cell = self._cell(offset, _KEY_HEAD + _NAME_ROOM, _KEY_HEAD, b"nk")
        flags, written, keys, key_list, values, value_list, length = struct.unpack_from("<2xHQ8xI4xI4xII28xH", cell)
        stored = cell[_KEY_HEAD : _KEY_HEAD + length]
        return Key(self, _name(stored, is_ascii=flags & _ASCII_KEY), written, (keys, key_list), (values, value_list))

    def listed(self, offset: int) -> Iterator[int]:
        """Yield the offsets in the list of keys at an offset, which may be a list of lists."""
        kind, offsets = self.attempt(partial(self._list, offset, (_ROOTS, *_LEAVES))) or (b"", [])
        if kind != _ROOTS:
            yield from offsets
            return
        for each in offsets:
            _, leaves = self.attempt(partial(self._list, each, _LEAVES)) or (b"", [])
            yield from leaves

    def value(self, offset: int, count: int, name: str) -> bytes | None:
        """Return the data of a value by its name, empty for the one without, among those that are listed."""
        size = 4 * min(count, _MOST_VALUES)
        for each in struct.unpack(f"<{size // 4}I", self._cell(offset, size, size)):
            cell = self._cell(each, _VALUE_HEAD + _NAME_ROOM, _VALUE_HEAD, b"vk")
            length, stored, place, flags = struct.unpack_from("<2xHII4xH", cell)
            found = _name(cell[_VALUE_HEAD : _VALUE_HEAD + length], is_ascii=flags & _ASCII_VALUE)
            if found.casefold() == name.casefold():
                return self._data(stored, place)
        return None

    def _list(self, offset: int, kinds: Container[bytes]) -> tuple[bytes, list[int]]:
        head = self._cell(offset, 4, 4)
        kind, count = head[:2], int.from_bytes(head[2:4], "little")
        width = _LEAVES.get(kind, 4)
        if kind not in kinds:
            raise damaged(f"there is no list of keys at {offset}")
        cell = self._cell(offset, 4 + width * count, 4 + width * count)
        return kind, [offset for offset, *_ in struct.iter_unpack("<I4x" if width > 4 else "<I", cell[4:])]  # noqa: PLR2004

    def _data(self, stored: int, place: int) -> bytes:
        if stored & _INLINE:
            return place.to_bytes(4, "little")[: stored & 7]
        if stored > _LONGEST_VALUE:
            raise damaged(f"a value of {stored} bytes is longer than any that is looked for")
        return self._cell(place, stored, stored)

    def _cell(self, offset: int, most: int, least: int, kind: bytes = b"") -> bytes:
        """Return the first bytes of the cell at an offset, `least` of them or more."""
        self._left -= max(most, _READ_COST)
        if self._left < 0:
            raise ObstacleError(TroubleCode.LIMIT, f"more than {_MOST_READ} bytes of the registry hive were asked for")
        place = _BASE + offset
        # The size of a cell in use is negative.
        size = -int.from_bytes(self._content.read_at(place, 4), "little", signed=True)
        cell = self._content.read_at(place + 4, max(0, min(most, size - 4)))  # its neighbours may be unreadable
        if len(cell) < least or not cell.startswith(kind):
            raise damaged(f"the cell at {offset} is not what it should be")
        return cell


def _name(stored: bytes, *, is_ascii: int) -> str:
    return stored.decode("latin-1") if is_ascii else stored.decode("utf-16-le", "replace")
