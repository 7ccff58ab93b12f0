"""Inodes of ext read from their own bytes, for what the library does not tell or takes too long to tell.

Facts: the ext4 layout document of the Linux kernel.
"""

import struct
from collections import OrderedDict
from dataclasses import dataclass

from triage.model.item import Times
from triage.volumes.volume import Volume

# The library keeps each hole of a file whose blocks are mapped one by one as a run of its own, and its time for a file
# grows with the square of their number: ten seconds and less for as many.
MOST_HOLES = 50_000

_SUPERBLOCK = 1024
_META_GROUPS = 0x10
_INCOMPAT_64BIT = 0x80
_INCOMPAT_ENCRYPT = 0x10000
_BIG_ALLOCATION = 0x200
_SECTOR = 512
_PIECE = 1 << 14
_PIECES = 64
_LEAST_INODE = 128
_TIMES_END = 152
_KIND = 0xF000
_REGULAR = 0x8000
_ENCRYPTED = 0x800
_HUGE = 0x40000
_EXTENTS = 0x80000
_INLINE = 0x10000000
# Kind, size, sectors, flags, the upper half of the size.
_SHAPE = struct.Struct("<H2xI20xI I72xI").unpack_from


@dataclass(frozen=True, slots=True, kw_only=True)
class HoledInode:
    """A file with more holes than the library can be asked about: its size in bytes, and whether it has no link."""

    size: int
    free: bool
    times: Times


class Inodes:
    """The inode table of one ext volume. Holds, as a container, the inodes that are encrypted one by one."""

    def __init__(self, volume: Volume, *, fine_times: bool) -> None:
        """Read the superblock; the block group descriptors and the table are read as they are needed.

        `fine_times` is whether the library reads the birth and parts of seconds: of ext4, not of ext2 and ext3.
        """
        self._volume = volume
        self._fine_times = fine_times
        block = volume.read_at(_SUPERBLOCK, 1024).ljust(1024, b"\0")
        incompatible = _number(block, 96, 4)
        self._block_size = 1024 << min(_number(block, 24, 4), 6)
        self._descriptors = (_number(block, 20, 4) + 1) * self._block_size
        self._descriptor_size = max(32, _number(block, 254, 2)) if incompatible & _INCOMPAT_64BIT else 32
        self._per_group = _number(block, 40, 4)
        self._inode_size = _number(block, 88, 2) or _LEAST_INODE
        self._can_encrypt = bool(incompatible & _INCOMPAT_ENCRYPT)
        # With these, descriptors or the counts of blocks are not where, or what, they are taken for here.
        self._can_judge = not incompatible & _META_GROUPS and not _number(block, 100, 4) & _BIG_ALLOCATION
        self._tables: dict[int, int] = {}
        self._pieces: OrderedDict[int, bytes] = OrderedDict()

    def __contains__(self, inode: object) -> bool:
        """Tell whether an inode is encrypted: the content of a file, the names in a directory."""
        if not self._can_encrypt or not isinstance(inode, int):
            return False
        return bool(_number(self._inode(inode), 32, 4) & _ENCRYPTED)

    def holed(self, inode: int) -> HoledInode | None:
        """Return what an inode says if it is a file mapped block by block with over `MOST_HOLES` holes, else None."""
        data = self._inode(inode) if self._can_judge else b""
        if len(data) < _LEAST_INODE:
            return None
        mode, low, sectors, flags, high = _SHAPE(data)
        size = low | high << 32
        if mode & _KIND != _REGULAR or flags & (_EXTENTS | _INLINE) or size // self._block_size <= MOST_HOLES:
            return None
        stored = sectors | _number(data, 116, 2) << 32
        holes = size // self._block_size - (stored if flags & _HUGE else stored * _SECTOR // self._block_size)
        if holes <= MOST_HOLES or (not stored and any(data[40:100])):
            return None
        return HoledInode(size=size, free=not _number(data, 26, 2), times=_times(data, fine=self._fine_times))

    def _inode(self, inode: int) -> bytes:
        """Return the bytes of an inode, none where there are none; the last pieces of the table read are kept."""
        if inode <= 0 or not self._per_group:
            return b""
        group, index = divmod(inode - 1, self._per_group)
        table = self._tables.get(group)
        if table is None:
            table = self._table(group)
        offset = table + index * self._inode_size
        number = offset // _PIECE
        piece = self._pieces.get(number)
        if piece is None:
            piece = self._pieces[number] = self._volume.read_at(number * _PIECE, _PIECE)
            if len(self._pieces) > _PIECES:
                self._pieces.popitem(last=False)
        start = offset % _PIECE
        return piece[start : start + self._inode_size]

    def _table(self, group: int) -> int:
        descriptor = self._volume.read_at(self._descriptors + group * self._descriptor_size, self._descriptor_size)
        table = _number(descriptor, 8, 4)
        if self._descriptor_size > 32:  # noqa: PLR2004 - the upper halves follow the 32 bytes of ext2
            table |= _number(descriptor, 40, 4) << 32
        self._tables[group] = table * self._block_size
        return self._tables[group]


def _times(inode: bytes, *, fine: bool) -> Times:
    """Return the four times; the finer parts and the birth lie behind the 128 bytes of an ext2 inode."""
    if not fine or len(inode) < _TIMES_END:
        return Times(modified=_time(inode, 16), accessed=_time(inode, 8), changed=_time(inode, 12))
    return Times(
        modified=_time(inode, 16, 136),
        created=_time(inode, 144, 148),
        accessed=_time(inode, 8, 140),
        changed=_time(inode, 12, 132),
    )


def _time(inode: bytes, offset: int, finer: int | None = None) -> int | None:
    seconds = int.from_bytes(inode[offset : offset + 4], "little", signed=True)
    extra = 0 if finer is None else _number(inode, finer, 4)
    return (seconds + ((extra & 3) << 32)) * 1_000_000_000 + (extra >> 2) if seconds or extra else None


def _number(data: bytes, offset: int, length: int) -> int:
    return int.from_bytes(data[offset : offset + length], "little")
