"""The ground of a Btrfs: superblock, chunk map and B-trees of one device, every block checked before it is believed.

Any input ends: a node is read only when its checksum, its own address and its level are right, no node twice in one
pass, and keys must rise. Facts: the Btrfs on-disk format documentation (btrfs.readthedocs.io) and the kernel's
include/uapi/linux/btrfs_tree.h; all fields little-endian.
"""

import hashlib
import struct
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, Self

from dissect.util.hash import crc32c

from triage.model.errors import EvidenceError
from triage.volumes.volume import Volume

SUPERBLOCKS = (0x1_0000, 0x400_0000, 0x40_0000_0000)
MAGIC = b"_BHRfS_M"

_MAGIC_OFFSET = 0x40
_SUPERBLOCK_SIZE = 4096
_CHUNK_ITEM = 228
_CHUNK_OBJECT = 256
_MAX_NODE = 65536
_MAX_LEVEL = 7
# extent tree v2 (0x2000) and the RAID stripe tree (0x4000) change where things lie; beyond are those not yet named
_KNOWN_INCOMPAT = 0x1FFF | 0x1_0000
_KINDS_OF_CHUNK = 0x7
_COPIES = 0x10 | 0x20 | 0x200 | 0x400  # RAID1, DUP, RAID1C3, RAID1C4: every stripe is a whole copy
_HEADER = struct.Struct("<QQ16sQQIB")
_KEY = struct.Struct("<QBQ")
_ITEM = struct.Struct("<QBQII")
_POINTER = struct.Struct("<QBQQQ")
_CHUNK = struct.Struct("<QQQQIIIHH")
_STRIPE = struct.Struct("<QQ16s")
_HEADER_SIZE = 101
_CACHED_NODES = 1024
_DIGESTS: dict[int, Callable[[bytes], bytes]] = {
    0: lambda block: int(crc32c.crc32c(block)).to_bytes(4, "little"),
    2: lambda block: hashlib.sha256(block).digest(),
    3: lambda block: hashlib.blake2b(block, digest_size=32).digest(),
}  # type 1 is xxhash64, for which there is no library here: such blocks are believed by address and level


class Key(NamedTuple):
    """The key of an item; items of a tree lie in its order."""

    object: int
    type: int
    offset: int


class Root(NamedTuple):
    """Where a tree begins."""

    address: int
    level: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Superblock:
    """The fields that are needed; `size` in bytes, `system` the chunks that hold the chunk tree."""

    root: Root
    chunk_root: Root
    log_root: int
    size: int
    devices: int
    device: int
    sector_size: int
    node_size: int
    checksum: int
    system: bytes

    @classmethod
    def parse(cls, block: bytes) -> Self:
        """Return the fields. Raises EvidenceError for damage and for what is not read."""
        checksum, root_level, chunk_level = struct.unpack_from("<HBB", block, 196)
        digest = _DIGESTS.get(checksum)
        if digest is not None and not block.startswith(digest(block[32:])):
            raise EvidenceError("Btrfs superblock damaged: its checksum is wrong")
        root, chunk_root, log_root = struct.unpack_from("<QQQ", block, 80)
        sector_size, node_size, _, _, system_size = struct.unpack_from("<IIIII", block, 144)
        (incompat,) = struct.unpack_from("<Q", block, 188)
        if incompat & ~_KNOWN_INCOMPAT:
            raise EvidenceError(f"Btrfs with incompatible features {incompat & ~_KNOWN_INCOMPAT:#x} that are not read")
        if not _HEADER_SIZE < node_size <= _MAX_NODE or not 0 < sector_size <= _MAX_NODE:
            raise EvidenceError(f"Btrfs superblock damaged: nodes of {node_size}, sectors of {sector_size} bytes")
        return cls(
            root=Root(root, root_level),
            chunk_root=Root(chunk_root, chunk_level),
            log_root=log_root,
            size=struct.unpack_from("<Q", block, 112)[0],
            devices=struct.unpack_from("<Q", block, 136)[0],
            device=struct.unpack_from("<Q", block, 201)[0],
            sector_size=sector_size,
            node_size=node_size,
            checksum=checksum,
            system=block[811 : 811 + min(system_size, 2048)],
        )


def read_superblock(volume: Volume) -> Superblock | None:
    """Return the first sound copy, or None where the first has no signature. Raises EvidenceError."""
    reason: EvidenceError | None = None
    for offset in SUPERBLOCKS:
        block = volume.read_at(offset, _SUPERBLOCK_SIZE)
        if len(block) < _SUPERBLOCK_SIZE or block[_MAGIC_OFFSET : _MAGIC_OFFSET + len(MAGIC)] != MAGIC:
            if reason is None:
                return None
            continue
        try:
            return Superblock.parse(block)
        except EvidenceError as error:
            reason = reason or error
    assert reason is not None
    raise reason


@dataclass(slots=True)
class ChunkMap:
    """Where logical addresses lie on the one device that is here."""

    device: int
    _starts: list[int] = field(default_factory=list)
    _chunks: list[tuple[int, tuple[int, ...]]] = field(default_factory=list)

    def add(self, start: int, item: bytes) -> int:
        """Add the chunk at a logical address and return how many bytes its item takes. Raises EvidenceError."""
        length, _, _, kind, _, _, _, count, _ = _CHUNK.unpack_from(item)
        profile = kind & ~_KINDS_OF_CHUNK
        if profile & ~_COPIES or count == 0 or (count > 1 and not profile):
            raise EvidenceError(f"Btrfs with chunks of profile {profile:#x}, which needs other devices")
        stripes = [_STRIPE.unpack_from(item, _CHUNK.size + index * _STRIPE.size) for index in range(count)]
        copies = tuple(offset for device, offset, _ in stripes if device == self.device)
        if not copies:
            raise EvidenceError("Btrfs with chunks on a device that is not here")
        index = bisect_right(self._starts, start)
        if not (index and self._starts[index - 1] == start):
            self._starts.insert(index, start)
            self._chunks.insert(index, (length, copies))
        return _CHUNK.size + len(stripes) * _STRIPE.size

    def find(self, address: int, length: int) -> list[tuple[tuple[int, ...], int]]:
        """Return (offset of each copy, length) pieces of a logical range. Raises EvidenceError where none is mapped."""
        pieces: list[tuple[tuple[int, ...], int]] = []
        while length > 0:
            index = bisect_right(self._starts, address) - 1
            inside = address - self._starts[index] if index >= 0 else 0
            if index < 0 or inside >= self._chunks[index][0]:
                raise EvidenceError(f"Btrfs address {address:#x} lies in no chunk")
            size, copies = self._chunks[index]
            take = min(length, size - inside)
            pieces.append((tuple(offset + inside for offset in copies), take))
            address += take
            length -= take
        return pieces


class Node(NamedTuple):
    """One checked tree block."""

    block: bytes
    level: int
    entries: int

    def key(self, index: int) -> Key:
        """Return the key at an index."""
        return Key(*_KEY.unpack_from(self.block, _HEADER_SIZE + index * (_POINTER if self.level else _ITEM).size))

    def child(self, index: int) -> int:
        """Return the address that an inner node points to."""
        _, _, _, address, _ = _POINTER.unpack_from(self.block, _HEADER_SIZE + index * _POINTER.size)
        return int(address)

    def data(self, index: int) -> bytes:
        """Return the data of a leaf's item. Raises EvidenceError when it lies outside the block."""
        _, _, _, offset, size = _ITEM.unpack_from(self.block, _HEADER_SIZE + index * _ITEM.size)
        if _HEADER_SIZE + offset + size > len(self.block):
            raise EvidenceError("an item of a Btrfs tree lies outside its block")
        return self.block[_HEADER_SIZE + offset : _HEADER_SIZE + offset + size]

    def first_from(self, key: Key) -> int:
        """Return the index of the first item not before a key; in an inner node, of the child it would lie in."""
        low, high = 0, self.entries
        while low < high:
            middle = (low + high) // 2
            if self.key(middle) < key:
                low = middle + 1
            else:
                high = middle
        if self.level and low and (low == self.entries or self.key(low) > key):
            return low - 1
        return low


class Trees:
    """The trees of one Btrfs on one device. Raises EvidenceError when the chunk map cannot be read."""

    def __init__(self, volume: Volume, superblock: Superblock) -> None:
        self.superblock = superblock
        self.chunks = ChunkMap(superblock.device)
        self._volume = volume
        self._digest = _DIGESTS.get(superblock.checksum)
        self.node = lru_cache(_CACHED_NODES)(self._node)
        self._map_chunks()

    def items(self, root: Root, first: Key, last: Key, lost: list[str]) -> Iterator[tuple[Key, bytes]]:
        """Yield the items of a tree from one key to another, both included.

        What cannot be read is left out, and a line of why is added to `lost`.
        """
        seen: set[int] = set()
        stack: list[tuple[Node, int]] = []
        self._enter(root.address, root.level, first, stack, (seen, lost))
        previous = first._replace(offset=first.offset - 1)
        while stack:
            node, index = stack.pop()
            if index >= node.entries:
                continue
            key = node.key(index)
            if key > last:
                return
            stack.append((node, index + 1))
            if node.level:
                self._enter(node.child(index), node.level - 1, first, stack, (seen, lost))
                continue
            if key <= previous:
                lost.append(f"the keys of a Btrfs tree do not rise at {tuple(key)}")
                stack.pop()
                continue
            previous = key
            try:
                yield key, node.data(index)
            except EvidenceError as error:
                lost.append(str(error))

    def read(self, address: int, length: int) -> bytes:
        """Return the bytes of a logical range, first copy. Raises EvidenceError."""
        pieces: list[bytes] = []
        for copies, size in self.chunks.find(address, length):
            data = self._volume.read_at(copies[0], size)
            if len(data) < size:
                raise EvidenceError(f"Btrfs address {address:#x} lies past the end of the volume")
            pieces.append(data)
        return b"".join(pieces)

    def _map_chunks(self) -> None:
        system, position = self.superblock.system, 0
        try:
            while position < len(system):
                key = Key(*_KEY.unpack_from(system, position))
                position += _KEY.size
                position += self.chunks.add(key.offset, system[position:])
            lost: list[str] = []
            first, last = Key(_CHUNK_OBJECT, _CHUNK_ITEM, 0), Key(_CHUNK_OBJECT, _CHUNK_ITEM, 2**64)
            for key, data in self.items(self.superblock.chunk_root, first, last, lost):
                self.chunks.add(key.offset, data)
        except struct.error as error:
            raise EvidenceError("the chunk map of Btrfs is damaged") from error
        if lost:
            raise EvidenceError(f"the chunk map of Btrfs cannot be read: {lost[0]}")

    def _enter(
        self, address: int, level: int, first: Key, stack: list[tuple[Node, int]], state: tuple[set[int], list[str]]
    ) -> None:
        """Put a node on the stack at the first index of interest, or record why not."""
        seen, lost = state
        if address in seen:
            lost.append(f"Btrfs tree block {address:#x} is pointed to twice")
            return
        seen.add(address)
        try:
            node = self.node(address, level)
        except EvidenceError as error:
            lost.append(str(error))
            return
        stack.append((node, node.first_from(first)))

    def _node(self, address: int, level: int) -> Node:
        """Return the first sound copy of a tree block. Raises EvidenceError."""
        size = self.superblock.node_size
        pieces = self.chunks.find(address, size)
        if len(pieces) > 1 or not 0 <= level <= _MAX_LEVEL:
            raise EvidenceError(f"Btrfs tree block {address:#x} is no tree block")
        reason = ""
        for offset in pieces[0][0]:
            block = self._volume.read_at(offset, size)
            reason = self._fault(block, address, level)
            if not reason:
                return Node(block, level, _HEADER.unpack_from(block, 48)[5])
        raise EvidenceError(f"Btrfs tree block {address:#x}: {reason}")

    def _fault(self, block: bytes, address: int, level: int) -> str:
        """Return what is wrong with a tree block, nothing if it is sound."""
        if len(block) < self.superblock.node_size:
            return "it lies past the end of the volume"
        if self._digest is not None and not block.startswith(self._digest(block[32:])):
            return "its checksum is wrong"
        own, _, _, _, _, count, own_level = _HEADER.unpack_from(block, 48)
        if own != address or own_level != level:
            return f"it says to be block {own:#x} of level {own_level}"
        room = (len(block) - _HEADER_SIZE) // (_POINTER if level else _ITEM).size
        return "" if count <= room else f"it says to hold {count} entries"
