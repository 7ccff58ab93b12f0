"""Names of an ext volume and what they stand for, put together from its own bytes.

The library takes four times as long for the same answer. It is still asked about whatever is odd: inodes that are not
plain (see `Inodes`), of no known kind, or with a map of blocks that is not sound (see `ext_maps`), symbolic links whose
target has blocks mapped one by one, inline content of no or too great a length, and files of more blocks mapped one by
one than holes would be too many.
"""

import struct
from collections.abc import Iterator

import pytsk3

from triage.filesystems import tsk_inodes
from triage.filesystems.ext_maps import LONGEST_WRITTEN, SIGNATURE, OddMapError, extent_runs, indirect_runs
from triage.filesystems.pieces import LONGEST, Pieces
from triage.filesystems.tsk_directories import Name
from triage.filesystems.tsk_inodes import ENCRYPTED, EXTENTS, INLINE, KIND, MAP_AT, MAP_END, Inodes
from triage.filesystems.tsk_names import DEFAULT, MAY_ENTER, Entry, Stored, why_unlocated
from triage.filesystems.tsk_runs import Layout, content_runs
from triage.model.item import ItemKind, Times
from triage.model.runs import ByteRun

_LINK = 0xA000
_KINDS = {
    0x1000: ItemKind.OTHER,
    0x2000: ItemKind.OTHER,
    0x4000: ItemKind.DIRECTORY,
    0x6000: ItemKind.OTHER,
    0x8000: ItemKind.FILE,
    _LINK: ItemKind.LINK,
    0xC000: ItemKind.OTHER,
}
_KNOWN = int(pytsk3.TSK_FS_META_TYPE_REG)
_SECOND = 1_000_000_000
_LARGEST = 1 << 60
_SHORT_LINK = 60
_MOST_INLINE = 1024 - 156
_FINE_INODE = 256
# Kind, size, three times, flags, signature, number of entries and depth of the tree of extents and its first extent,
# the upper half of the size.
_INODE = struct.Struct("<H2xIIII12xI4xHH2xH4xIHHI44xI").unpack_from
# The parts of a second of change, modification and access, then the time of birth.
_FINER = struct.Struct("<IIIII").unpack_from
_FINER_AT = 132


class ExtReader:
    """Entries of the names of one volume, as the library would give them, or None where it has to be asked."""

    def __init__(self, inodes: Inodes, layout: Layout, pieces: Pieces) -> None:
        """Take the inodes, how the volume lies in its source, and its bytes."""
        self._pieces = pieces
        self._inodes = inodes
        self._layout = layout
        self._encrypts = ENCRYPTED if inodes.can_encrypt else 0
        self._has_large_files = inodes.has_large_files
        self._is_fine = inodes.fine_times and inodes.inode_size >= _FINE_INODE

    def entry(self, name: Name) -> Entry | None:
        """Return what a name stands for."""
        own_name, inode, allocated, name_type = name
        found = self._inodes.find(inode)
        if found is None:
            return None
        piece, at, in_use = found
        mode, size, accessed, changed, modified, flags, *tree, upper = _INODE(piece, at)
        kind = _KINDS.get(mode & KIND)
        if kind is None:
            return None
        if upper and kind is ItemKind.FILE and self._has_large_files:
            size |= upper << 32
        runs = self._single_run(size, tree) if flags & EXTENTS else None
        missing, unlocated = 0, None
        if runs is not None:
            stored = (Stored(DEFAULT, 0, b"", 0, size, runs, False, True),)
        else:
            other = self._stored(piece[at + MAP_AT : at + MAP_END], mode, size, flags)
            if other is None:
                return None
            stored = (other,)
            if kind is ItemKind.FILE:
                missing = other.missing
            if allocated and not other.size:
                unlocated = why_unlocated(name, _KNOWN, in_use, missing, stored)
        # By position: the names of the fields would take as long as all of the rest here.
        return Entry(
            own_name,
            inode,
            allocated,
            in_use and not allocated,
            not in_use,
            kind,
            kind is ItemKind.DIRECTORY and (allocated or name_type in MAY_ENTER),
            False,
            _fine_times(modified, accessed, changed, _FINER(piece, at + _FINER_AT))
            if self._is_fine
            else Times(modified * _SECOND or None, None, accessed * _SECOND or None, changed * _SECOND or None),
            missing,
            unlocated,
            flags & self._encrypts != 0,
            stored,
        )

    def directory(self, inode: int) -> Stored | None:
        """Return the content of a directory where its runs are all of it, else None."""
        entry = self.entry(Name(b"", inode, allocated=True, type=0))
        return entry.stored[0] if entry is not None and entry.stored[0].direct else None

    def parts(self, content: Stored) -> Iterator[bytes]:
        """Read the content of a directory, each time some whole blocks but for the last."""
        layout = self._layout
        for run in content.runs:
            start = run.offset - layout.start
            for offset in range(0, run.length, LONGEST):
                yield self._pieces.read_at(start + offset, min(LONGEST, run.length - offset))

    def may_be_orphan(self, inode: int) -> bool:
        """Tell whether an inode may be free and have been in use, as `Inodes.may_be_orphan`."""
        return self._inodes.may_be_orphan(inode)

    def has_no_orphans(self, budget: int) -> bool:
        """Tell whether there certainly is no such inode, as `Inodes.has_no_orphans`."""
        return self._inodes.has_no_orphans(budget)

    def _single_run(self, size: int, tree: list[int]) -> tuple[ByteRun] | None:
        """Return the one run of a file that lies in one extent from its beginning to its end, else None."""
        signature, count, depth, first, length, high, low = tree
        layout = self._layout
        block_size = layout.block_size
        start = low * block_size
        if (
            signature != SIGNATURE
            or count != 1
            or depth
            or first
            or high
            or length > LONGEST_WRITTEN
            or not 0 < size <= length * block_size
            or not layout.shown <= start <= layout.readable - size
        ):
            return None
        return (ByteRun(layout.start + start, size),)

    def _stored(self, root: bytes, mode: int, size: int, flags: int) -> Stored | None:
        """Return the content of any other inode by what is in the place of its map."""
        if flags & EXTENTS:
            return self._mapped(root, size, extents=True)
        if flags & INLINE:
            return _unplaced(b"DATA", size) if 0 < size <= _MOST_INLINE else None
        if not size:
            return _EMPTY
        if mode & KIND == _LINK:
            # Of a target that lies in the place of the map the library tells the length, and no place.
            return _unplaced(b"", size) if size < _SHORT_LINK else None
        return self._mapped(root, size, extents=False)

    def _mapped(self, root: bytes, size: int, *, extents: bool) -> Stored | None:
        block_size = self._layout.block_size
        if size >= _LARGEST or (not extents and size // block_size > tsk_inodes.MOST_HOLES):
            return None
        try:
            make = extent_runs if extents else indirect_runs
            mapped = make(root, size, block_size, self._inodes.block)
        except OddMapError:
            return None
        runs, span, whole = content_runs(mapped, self._layout, size)
        held = min(span, size)
        return Stored(DEFAULT, 0, b"", size - held, held, runs, encrypted=False, direct=whole and size > 0)


def _unplaced(name: bytes, size: int) -> Stored:
    return Stored(DEFAULT, 0, name, 0, size, (), encrypted=False, direct=False)


def _fine_times(modified: int, accessed: int, changed: int, finer: tuple[int, ...]) -> Times:
    """Return the four times; whole seconds, taken to be without a sign, are those of the library."""
    changed_parts, modified_parts, accessed_parts, born, born_parts = finer
    return Times(
        modified * _SECOND + (modified_parts >> 2) or None,
        born * _SECOND + (born_parts >> 2) or None,
        accessed * _SECOND + (accessed_parts >> 2) or None,
        changed * _SECOND + (changed_parts >> 2) or None,
    )


_EMPTY = _unplaced(b"", 0)
