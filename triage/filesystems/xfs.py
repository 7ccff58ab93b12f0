"""XFS versions 4 and 5 through pyfsxfs.

Only what the directories name is listed: XFS clears the extents of a deleted inode, so nothing deleted is recovered.
A feature that the library was not seen to read right is refused, never guessed. Facts: XFS Algorithms and Data
Structures, 3rd edition (superblock, fields big-endian); flags of fs/xfs/libxfs/xfs_format.h.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Self

import pyfsxfs

from triage.filesystems.libyal import (
    METADATA,
    Tree,
    ask,
    attribute_of,
    attributes_of,
    link_target,
    must,
    read_stream,
    walk_tree,
)
from triage.model.errors import EvidenceError
from triage.model.item import Item, ItemKind
from triage.model.trouble import Trouble, TroubleCode
from triage.volumes.decrypted import VolumeFile
from triage.volumes.volume import Volume

_MAGIC = b"XFSB"
_SUPERBLOCK = 512
_MIN_BLOCK, _MAX_BLOCK = 512, 65536
_MAX_GROUP_LOG = 31
_VERSIONS = (4, 5)
_DIRECTORIES_V2 = 0x2000
_NEEDS_REPAIR = 0x10
# file types in directories, sparse inodes, metadata UUID, big times, needs repair, 64-bit extent counters,
# exchange of ranges, parent pointers
_KNOWN_INCOMPAT = 0x01 | 0x02 | 0x04 | 0x08 | _NEEDS_REPAIR | 0x20 | 0x40 | 0x80


def open_xfs(volume: Volume) -> "XfsFileSystem | None":
    """Return the file system, or None without its signature.

    Raises EvidenceError for a damaged superblock, a feature that is not read, and a file system with a realtime
    section, whose files may lie on another device.
    """
    header = volume.read_at(0, _SUPERBLOCK)
    if header[:4] != _MAGIC or len(header) < _SUPERBLOCK:
        return None
    superblock = _Superblock.parse(header)
    inner = pyfsxfs.volume()
    must(inner.open_file_object, "the XFS volume cannot be opened", VolumeFile(volume))
    return XfsFileSystem(volume, inner, superblock)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Superblock:
    """The fields of the primary superblock that are needed; `group_blocks` is the length of an allocation group."""

    block_size: int
    blocks: int
    group_blocks: int
    group_log: int

    @classmethod
    def parse(cls, header: bytes) -> Self:
        """Return the fields. Raises EvidenceError where the file system cannot be read right."""
        block_size, blocks, realtime = struct.unpack_from(">IQQ", header, 4)
        (group_blocks,) = struct.unpack_from(">I", header, 84)
        (version,) = struct.unpack_from(">H", header, 100)
        group_log = header[124]
        _check_version(version, int.from_bytes(header[216:220], "big"))
        if realtime:
            raise EvidenceError("XFS with a realtime section, whose files may lie on another device")
        if block_size.bit_count() != 1 or not _MIN_BLOCK <= block_size <= _MAX_BLOCK:
            raise EvidenceError(f"XFS superblock damaged: block size {block_size}")
        if not 0 < group_log <= _MAX_GROUP_LOG or not 1 << (group_log - 1) < group_blocks <= 1 << group_log:
            raise EvidenceError(f"XFS superblock damaged: allocation groups of {group_blocks} blocks")
        return cls(block_size=block_size, blocks=blocks, group_blocks=group_blocks, group_log=group_log)


def _check_version(version: int, incompat: int) -> None:
    if version & 0xF not in _VERSIONS or not version & _DIRECTORIES_V2:
        raise EvidenceError(f"XFS version {version & 0xF} with flags {version & 0xFFF0:#x} is not read")
    unknown = incompat & ~_KNOWN_INCOMPAT
    if version & 0xF == _VERSIONS[-1] and unknown:
        raise EvidenceError(f"XFS with incompatible features {unknown:#x} that are not read")


class XfsFileSystem:
    """One opened XFS. References are inode numbers and, for a stream, `inode/attribute name`."""

    kind = "xfs"

    def __init__(self, volume: Volume, inner: Any, superblock: _Superblock) -> None:
        self.block_size = superblock.block_size
        self._volume = volume
        self._inner = inner
        self._superblock = superblock
        self._held: tuple[str, Any] | None = None

    def walk(self) -> Iterator[Item | Trouble]:
        """List everything below the root directory, in the order of the directories."""
        address = self._volume.address
        size = self._superblock.blocks * self.block_size
        if size > self._volume.info.size:
            text = f"XFS of {size} bytes in a volume of {self._volume.info.size}: its end is missing"
            yield Trouble(address=address, code=TroubleCode.DAMAGED, text=text)
        try:
            root = must(self._inner.get_root_directory, "the root directory of XFS cannot be read")
        except EvidenceError as error:
            yield Trouble(address=address, code=TroubleCode.DAMAGED, text=str(error))
            return
        yield from walk_tree(Tree(volume=self._volume, address=address, dialect=_Dialect(self._superblock)), root)

    def read_at(self, item: Item, offset: int, length: int) -> bytes:
        """Return content bytes, short only at the end; of a symbolic link, its target. Raises EvidenceError."""
        stream = self._stream(item)
        if item.kind is ItemKind.LINK:
            return link_target(stream)[offset : offset + length]
        return read_stream(stream, item, offset, length)

    def close(self) -> None:
        """Release the volume; calling it twice is harmless."""
        self._held = None
        ask(self._inner.close, None)

    def _stream(self, item: Item) -> Any:
        """Return the library's file or attribute; the last one is kept, since content is read block by block."""
        if self._held is None or self._held[0] != item.reference:
            inode, *attribute = item.reference.split("/", 1)
            stream = must(self._inner.get_file_entry_by_inode, METADATA, int(inode))
            if attribute:
                stream = attribute_of(stream, attribute[0])
            if stream is None:
                raise EvidenceError(f"no such inode {item.reference}")
            self._held = (item.reference, stream)
        return self._held[1]


@dataclass(frozen=True, slots=True)
class _Dialect:
    """XFS as pyfsxfs tells it: inode numbers, nanoseconds, extents by file system block number."""

    is_literal: ClassVar = True  # a hole, and what was set aside and never written, is a sparse extent

    superblock: _Superblock

    def key(self, entry: Any) -> int:
        return int(entry.get_inode_number())

    def to_volume(self, offset: int) -> int:
        """Take apart the block number: the library multiplies it, group number and all, by the block size."""
        number = offset // self.superblock.block_size
        group, block = divmod(number, 1 << self.superblock.group_log)
        return (group * self.superblock.group_blocks + block) * self.superblock.block_size

    def plain(self, entry: Any) -> bool:  # noqa: ARG002 - XFS has no compression
        return True

    def streams(self, entry: Any) -> Iterator[tuple[str, Any]]:
        """Yield the attributes that users set; the system's own (labels, access lists) are no content."""
        return (pair for pair in attributes_of(entry) if pair[0].startswith("user."))
