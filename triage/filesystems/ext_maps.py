"""Where the blocks of an ext file lie, from its own map: the runs that The Sleuth Kit makes of the same bytes.

Facts: the ext4 layout document of the Linux kernel; how holes and the ends of blocks of pointers cut the runs is the
library's way. A tree of extents is sound where each node has its signature, the depth that its parent calls for and as
many entries as it has room for, and no extent begins before the one in front of it ends; a block of pointers where it
has none past the content's end. What is not sound is odd, and is left to the library.
"""

import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

import pytsk3

DIRECT = 12
INDIRECT_LEVELS = 3
SIGNATURE = 0xF30A
LONGEST_WRITTEN = 0x8000
"""A longer extent was set aside and never written: its length is what exceeds this, and it reads as zeros."""

_DEEPEST = 5
_ROOT_POINTERS = struct.Struct("<15I").unpack
_HEAD = struct.Struct("<HH2xH").unpack_from
_EXTENT = struct.Struct("<IHHI")
_INDEX = struct.Struct("<4xIH2x")
_HEADER = 12
_SIGN = 1 << 31
_SPARSE = int(pytsk3.TSK_FS_ATTR_RUN_FLAG_SPARSE)
_FILLER = int(pytsk3.TSK_FS_ATTR_RUN_FLAG_FILLER)

ReadBlock = Callable[[int], bytes]
"""Returns one block of a map by its number; raises OddMapError, of which LostMapError is one."""


class OddMapError(Exception):
    """A map of blocks that is not sound, or not one that is read here."""


class LostMapError(OddMapError):
    """A map of which a block cannot be read."""


class FarMapError(OddMapError):
    """A map that leads beyond block 2**32, where the library reads other blocks in its place."""


class BlockRun(NamedTuple):
    """Blocks in a row: the first one's number in the file, their count, the first one's number in the volume.

    The names are those of the library's runs, and so are the flags.
    """

    offset: int
    len: int
    addr: int
    flags: int


def extent_runs(root: bytes, size: int, block_size: int, read: ReadBlock) -> list[BlockRun]:
    """Return the runs of a file of `size` bytes by the root of its tree of extents. Raises OddMapError."""
    runs: list[BlockRun] = []
    end = 0
    for first, length, high, low in _extents(root, None, read):
        if high:
            raise FarMapError
        if not length or first < end:
            raise OddMapError
        if first > end:
            runs.append(BlockRun(end, first - end, 0, _FILLER))
        if length > LONGEST_WRITTEN:
            length -= LONGEST_WRITTEN  # noqa: PLW2901 - what the field means from here on
            runs.append(BlockRun(first, length, 0, _SPARSE))
        else:
            runs.append(BlockRun(first, length, low, 0))
        end = first + length
    whole = -(-size // block_size)
    if end < whole:
        runs.append(BlockRun(end, whole - end, 0, _SPARSE))
    return runs


def indirect_runs(root: bytes, size: int, block_size: int, read: ReadBlock) -> list[BlockRun]:
    """Return the runs of a file of `size` bytes by its 15 pointers. Raises OddMapError."""
    pointers = _ROOT_POINTERS(root)
    if max(pointers) >= _SIGN:
        raise OddMapError
    runs: list[BlockRun] = []
    left = -(-size // block_size)
    left -= _append(runs, pointers[:DIRECT], left)
    for level, pointer in enumerate(pointers[DIRECT:]):
        if left > 0:
            left = _indirect(runs, pointer, level, left, (block_size, read))
    return runs


def check_map(root: bytes, size: int, block_size: int, read: ReadBlock, *, extents: bool) -> None:
    """Read every block of a map, however long it is. Raises OddMapError where one cannot be read.

    A tree of extents is read up to where it is odd: one that leads back to itself has no end.
    """
    if extents:
        extent_runs(root, size, block_size, read)
        return
    left = -(-size // block_size) - DIRECT
    for level, pointer in enumerate(_ROOT_POINTERS(root)[DIRECT:]):
        if left > 0:
            _check(pointer, level, left, (block_size, read))
        left -= (block_size // 4) ** (level + 1)


def _check(pointer: int, level: int, left: int, source: tuple[int, ReadBlock]) -> None:
    if not pointer:
        return
    block_size, read = source
    block = read(pointer)
    each = (block_size // 4) ** level
    if level:
        for child in _pointers(block)[: -(-left // each)]:
            _check(child, level - 1, left, source)
            left -= each


def _extents(node: bytes, depth: int | None, read: ReadBlock) -> Iterator[tuple[int, int, int, int]]:
    """List first block, length, upper and lower half of the address of every extent below a node."""
    signature, count, own = _HEAD(node)
    room = (len(node) - _HEADER) // _EXTENT.size
    if signature != SIGNATURE or count > room or own > _DEEPEST or (depth is not None and (own != depth or not count)):
        raise OddMapError
    entries = node[_HEADER : _HEADER + count * _EXTENT.size]
    if not own:
        yield from _EXTENT.iter_unpack(entries)
        return
    for low, high in _INDEX.iter_unpack(entries):
        if high:
            raise FarMapError
        yield from _extents(read(low), own - 1, read)


def _indirect(runs: list[BlockRun], pointer: int, level: int, left: int, source: tuple[int, ReadBlock]) -> int:
    """Append what lies below one pointer and return how many blocks of the file are left."""
    block_size, read = source
    pointers = _pointers(read(pointer)) if pointer else (0,) * (block_size // 4)
    if not level:
        return left - _append(runs, pointers, left)
    for number, child in enumerate(pointers):
        if left <= 0:
            if any(pointers[number:]):
                raise OddMapError
            break
        left = _indirect(runs, child, level - 1, left, source)
    return left


def _append(runs: list[BlockRun], pointers: tuple[int, ...], left: int) -> int:
    """Append the runs of some pointers, 0 for a hole, and return how many blocks they are.

    The library stops at the end of the run in which the content ends, and begins a new one in each block of pointers.
    """
    offset = runs[-1].offset + runs[-1].len if runs else 0
    last = len(pointers) - 1
    begin = 0
    start = pointers[0]
    for index in range(last + 1):
        after = pointers[index + 1] if index < last else -1
        if after == (start + index + 1 - begin if start else 0):
            continue
        runs.append(BlockRun(offset + begin, index + 1 - begin, start, 0 if start else _SPARSE))
        if index > left:
            return index
        begin, start = index + 1, after
    return last + 1


def _pointers(block: bytes) -> tuple[int, ...]:
    return struct.unpack(f"<{len(block) // 4}I", block)
