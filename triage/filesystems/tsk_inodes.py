"""Inodes of ext read from their own bytes, for what the library does not tell or takes too long to tell.

Facts: the ext4 layout document of the Linux kernel.
"""

import struct
from dataclasses import dataclass

from triage.filesystems.ext_maps import FarMapError, LostMapError, OddMapError, check_map, extent_runs
from triage.filesystems.pieces import Pieces
from triage.model.item import Times
from triage.model.runs import ByteRun

# The library keeps each hole of a file whose blocks are mapped one by one as a run of its own, and its time for a file
# grows with the square of their number: ten seconds and less for as many.
MOST_HOLES = 50_000

ENCRYPTED = 0x800
EXTENTS = 0x80000
INLINE = 0x10000000
MAP_AT = 40
MAP_END = 100
KIND = 0xF000
REGULAR = 0x8000

_SUPERBLOCK = 1024
_MAGIC = b"\x53\xef"
_META_GROUPS = 0x10
_INCOMPAT_64BIT = 0x80
_INCOMPAT_ENCRYPT = 0x10000
_LARGE_FILE = 2
_BIG_ALLOCATION = 0x200
_SMALL_DESCRIPTOR = 32
_WIDE_DESCRIPTOR = 64
_LARGEST_BLOCK = 6
_SECTOR = 512
_PIECE = 1 << 16
_PIECES = 64
_GROUPS = 1024
_LEAST_INODE = 128
_TIMES_END = 152
_HUGE = 0x40000
# Kind, size, sectors, flags, the upper half of the size.
_SHAPE = struct.Struct("<H2xI20xI I72xI").unpack_from
_MODE_CHANGED_LINKS = struct.Struct("<H10xI10xH").unpack_from


@dataclass(frozen=True, slots=True, kw_only=True)
class HoledInode:
    """A file with more holes than the library can be asked about: its size in bytes, and whether it has no link."""

    size: int
    free: bool
    times: Times


class Inodes:
    """The inode table of one ext volume. Holds, as a container, the inodes that are encrypted one by one.

    An inode is plain where the library would read it without complaint from the very bytes that are found here, all of
    which can be read: never where block groups are described elsewhere than right behind the superblock, where a group
    or the inode lies past the end of the volume, or where a sector of the table or of its bitmap is lost.
    """

    def __init__(self, pieces: Pieces, *, readable: int, shown: int, fine_times: bool) -> None:
        """Read the superblock; the block group descriptors and the table are read as they are needed.

        `readable` is up to where in the volume the library reads, in bytes, `shown` how many first bytes it sees
        others of. `fine_times` is whether it reads the birth and parts of seconds: of ext4, not of ext2 and ext3.
        """
        self._pieces = pieces
        self._readable = readable
        self._shown = shown
        self.fine_times = fine_times
        block = pieces.read_at(_SUPERBLOCK, 1024).ljust(1024, b"\0")
        incompatible, compatible = _number(block, 96, 4), _number(block, 100, 4)
        self._count = _number(block, 0, 4)
        self._block_size = 1024 << min(_number(block, 24, 4), _LARGEST_BLOCK)
        self._descriptors = (_number(block, 20, 4) + 1) * self._block_size
        is_wide = bool(incompatible & _INCOMPAT_64BIT)
        self._descriptor_size = max(_SMALL_DESCRIPTOR, _number(block, 254, 2)) if is_wide else _SMALL_DESCRIPTOR
        self._per_group = _number(block, 40, 4)
        self._inode_size = _number(block, 88, 2) or _LEAST_INODE
        self._blocks = _number(block, 4, 4) | (_number(block, 336, 4) << 32 if is_wide else 0)
        self._groups_count = -(-(self._blocks - _number(block, 20, 4)) // (_number(block, 32, 4) or 1))
        self.can_encrypt = bool(incompatible & _INCOMPAT_ENCRYPT)
        self.has_large_files = bool(compatible & _LARGE_FILE)
        # With these, descriptors or the counts of blocks are not where, or what, they are taken for here.
        self._can_judge = not incompatible & _META_GROUPS and not compatible & _BIG_ALLOCATION
        self._is_plain = self._can_judge and self._is_usual(block, is_wide=is_wide)
        self._tables: dict[int, int] = {}
        self._groups: dict[int, tuple[int, bytes] | None] = {}
        self._kept: dict[int, bytes | None] = {}

    def _is_usual(self, superblock: bytes, *, is_wide: bool) -> bool:
        """Tell whether the library reads block groups and inodes from where they are looked for here."""
        described = _number(superblock, 254, 2)
        return (
            superblock[56:58] == _MAGIC
            and _number(superblock, 24, 4) <= _LARGEST_BLOCK
            and self._descriptors == -(-2 * _SUPERBLOCK // self._block_size) * self._block_size
            and (self.fine_times and described >= _WIDE_DESCRIPTOR if is_wide else described <= _SMALL_DESCRIPTOR)
            and _LEAST_INODE <= self._inode_size <= self._block_size
            and self._inode_size.bit_count() == 1
            and self._per_group > 0
        )

    def __contains__(self, inode: object) -> bool:
        """Tell whether an inode is encrypted: the content of a file, the names in a directory."""
        if not self.can_encrypt or not isinstance(inode, int):
            return False
        return bool(_number(self._inode(inode), 32, 4) & ENCRYPTED)

    @property
    def inode_size(self) -> int:
        """The size of an inode in the table, in bytes."""
        return self._inode_size

    def find(self, inode: int) -> tuple[bytes, int, bool] | None:
        """Return a piece of the table, where in it an inode begins and whether that is in use; None if not plain."""
        if not self._is_plain or not 0 < inode <= self._count:
            return None
        group, index = divmod(inode - 1, self._per_group)
        try:
            found = self._groups[group]
        except KeyError:
            found = self._load(group)
        if found is None:
            return None
        table, bitmap = found
        number, start = divmod(table + index * self._inode_size, _PIECE)
        try:
            piece = self._kept[number]
        except KeyError:
            piece = self._keep(number)
        if piece is None:
            return None
        return piece, start, bool(bitmap[index >> 3] >> (index & 7) & 1)

    def block(self, number: int) -> bytes:
        """Return a block of a map, by its number. Raises LostMapError where it cannot be read, else OddMapError."""
        offset, size = number * self._block_size, self._block_size
        if not self._is_readable(offset, size):
            raise OddMapError
        block = self._pieces.read_at(offset, size)
        if self._is_lost(offset, size):
            raise LostMapError
        return block

    def is_map_lost(self, inode: int) -> bool:
        """Tell whether a block of the map of an inode's blocks could not be read.

        The library takes its pointers for those of a file of zeros then.
        """
        data = self._inode(inode) if self._pieces.met_unreadable and self._can_judge else b""
        if len(data) < _LEAST_INODE:
            return False
        _, low, _, flags, high = _SHAPE(data)
        if flags & INLINE and not flags & EXTENTS:
            return False
        try:
            root = data[MAP_AT:MAP_END]
            check_map(root, low | high << 32, self._block_size, self.block, extents=bool(flags & EXTENTS))
        except OddMapError as error:
            return isinstance(error, LostMapError)
        return False

    def is_map_far(self, inode: int) -> bool:
        """Tell whether an inode's extents lead beyond block 2**32: the library gives the content of other blocks."""
        data = self._inode(inode) if self._can_judge else b""
        if len(data) < _LEAST_INODE:
            return False
        _, low, _, flags, high = _SHAPE(data)
        if not flags & EXTENTS:
            return False
        try:
            extent_runs(data[MAP_AT:MAP_END], low | high << 32, self._block_size, self.block)
        except OddMapError as error:
            return isinstance(error, FarMapError)
        return False

    def may_be_orphan(self, inode: int) -> bool:
        """Tell whether an inode may be free and have been in use; False where that is certain not to be so."""
        found = self.find(inode)
        if found is None:
            return True
        mode, changed, links = _MODE_CHANGED_LINKS(found[0], found[1])
        return bool(changed and not found[2]) or (mode & KIND == REGULAR and not links)

    def has_no_orphans(self, budget: int) -> bool:
        """Tell whether it is certain, having read at most `budget` bytes, that no free inode was ever in use."""
        if not self._is_plain or self._count * self._inode_size > budget:
            return False
        return all(self._is_unused(group) for group in range(-(-self._count // self._per_group)))

    def holed(self, inode: int) -> HoledInode | None:
        """Return what an inode says if it is a file mapped block by block with over `MOST_HOLES` holes, else None."""
        data = self._inode(inode) if self._can_judge else b""
        if len(data) < _LEAST_INODE:
            return None
        mode, low, sectors, flags, high = _SHAPE(data)
        size = low | high << 32
        if mode & KIND != REGULAR or flags & (EXTENTS | INLINE) or size // self._block_size <= MOST_HOLES:
            return None
        stored = sectors | _number(data, 116, 2) << 32
        holes = size // self._block_size - (stored if flags & _HUGE else stored * _SECTOR // self._block_size)
        if holes <= MOST_HOLES or (not stored and any(data[MAP_AT:MAP_END])):
            return None
        return HoledInode(size=size, free=not _number(data, 26, 2), times=_times(data, fine=self.fine_times))

    def _inode(self, inode: int) -> bytes:
        """Return the bytes of an inode, none where there are none."""
        if inode <= 0 or not self._per_group:
            return b""
        group, index = divmod(inode - 1, self._per_group)
        table = self._tables.get(group)
        if table is None:
            table = self._tables[group] = self._descriptor(group)[2]
        return self._pieces.read_at(table + index * self._inode_size, self._inode_size)

    def _descriptor(self, group: int) -> tuple[int, int, int]:
        """Return where the bitmap of blocks, that of inodes, and the inodes of a group begin in the volume."""
        data = self._pieces.read_at(self._descriptors + group * self._descriptor_size, self._descriptor_size)
        low = [_number(data, offset, 4) for offset in (0, 4, 8)]
        if self._descriptor_size > _SMALL_DESCRIPTOR:  # the upper halves follow the 32 bytes of ext2
            low = [part | _number(data, 32 + 4 * number, 4) << 32 for number, part in enumerate(low)]
        blocks, inodes, table = (part * self._block_size for part in low)
        return blocks, inodes, table

    def _load(self, group: int) -> tuple[int, bytes] | None:
        """Return where the table of a group begins in the volume, and which of its inodes are in use, if plain."""
        if len(self._groups) >= _GROUPS:
            self._groups.clear()
        self._groups[group] = found = self._group(group)
        return found

    def _group(self, group: int) -> tuple[int, bytes] | None:
        where = self._descriptors + group * self._descriptor_size
        if group >= self._groups_count or not self._is_sound(where, self._descriptor_size):
            return None
        blocks, inodes, table = self._descriptor(group)
        size = -(-self._per_group // 8)
        if blocks >= self._blocks * self._block_size or size > self._block_size:
            return None
        bitmap = self._pieces.read_at(inodes, size)
        sound = self._is_sound(inodes, self._block_size) and self._is_readable(
            table, self._per_group * self._inode_size
        )
        return (table, bitmap) if sound and len(bitmap) == size else None

    def _keep(self, number: int) -> bytes | None:
        """Return a piece of the volume, None where a byte of it cannot be read; the last ones are kept."""
        if len(self._kept) >= _PIECES:
            del self._kept[next(iter(self._kept))]
        piece: bytes | None = self._pieces.read_at(number * _PIECE, _PIECE)
        if self._is_lost(number * _PIECE, _PIECE):
            piece = None
        self._kept[number] = piece
        return piece

    def _is_unused(self, group: int) -> bool:
        """Tell whether it is certain that no free inode of a group was ever in use."""
        found = self._load(group)
        if found is None:
            return False
        table, bitmap = found
        used = int.from_bytes(bitmap, "little")
        step = _PIECE // self._inode_size
        for first in range(0, min(self._per_group, self._count - group * self._per_group), step):
            count = min(step, self._per_group - first)
            free = ~(used >> first) & ((1 << count) - 1)
            where, length = table + first * self._inode_size, count * self._inode_size
            if free and (not self._are_blank(where, length, free) or self._is_lost(where, length)):
                return False
        return True

    def _are_blank(self, offset: int, length: int, free: int) -> bool:
        """Tell whether those inodes of a part of a table whose bits are set have no time of change."""
        data = self._pieces.read_at(offset, length)
        if len(data) < length:
            return False
        if data == bytes(length):
            return True
        size = self._inode_size
        return not any(free >> at // size & 1 and any(data[at + 12 : at + 16]) for at in range(0, length, size))

    def _is_readable(self, offset: int, length: int) -> bool:
        return self._shown <= offset and 0 < offset <= self._readable - length

    def _is_lost(self, offset: int, length: int) -> bool:
        """Tell whether a byte of the volume, which was read, could not be read."""
        return self._pieces.met_unreadable and self._pieces.are_hurt(
            (ByteRun(self._pieces.run.offset + offset, length),)
        )

    def _is_sound(self, offset: int, length: int) -> bool:
        if not self._is_readable(offset, length):
            return False
        self._pieces.read_at(offset, length)
        return not self._is_lost(offset, length)


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
