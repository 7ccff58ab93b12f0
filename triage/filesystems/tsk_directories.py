"""Directories of ext and NTFS read from their own bytes, where the library's way is too slow or refused.

The Sleuth Kit compares each name of a directory with every other one, so that its time grows with the square of their
number, and it refuses a directory of more than a million. Facts: the ext4 layout document of the Linux kernel, the
NTFS documentation of libfsntfs. As the library does, deleted ext names are looked for in the slack behind live ones.
"""

import re
import struct
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import pytsk3

_READ = 1 << 20
_NOT_ZERO = re.compile(rb"[^\0]")
_MIN_RECORD = 12
_RECORD = struct.Struct("<IHBB").unpack_from
_EXT_TYPES = {
    1: int(pytsk3.TSK_FS_NAME_TYPE_REG),
    2: int(pytsk3.TSK_FS_NAME_TYPE_DIR),
    3: int(pytsk3.TSK_FS_NAME_TYPE_CHR),
    4: int(pytsk3.TSK_FS_NAME_TYPE_BLK),
    5: int(pytsk3.TSK_FS_NAME_TYPE_FIFO),
    6: int(pytsk3.TSK_FS_NAME_TYPE_SOCK),
    7: int(pytsk3.TSK_FS_NAME_TYPE_LNK),
}
_UNDEFINED = int(pytsk3.TSK_FS_NAME_TYPE_UNDEF)
_REGULAR = int(pytsk3.TSK_FS_NAME_TYPE_REG)
_DIRECTORY = int(pytsk3.TSK_FS_NAME_TYPE_DIR)
_INDEX_ROOT = int(pytsk3.TSK_FS_ATTR_TYPE_NTFS_IDXROOT)
_INDEX_ALLOCATION = int(pytsk3.TSK_FS_ATTR_TYPE_NTFS_IDXALLOC)
_BITMAP = int(pytsk3.TSK_FS_ATTR_TYPE_NTFS_BITMAP)
_FILE_NAME = int(pytsk3.TSK_FS_ATTR_TYPE_NTFS_FNAME)
_STRIDE = 512
_MOST_BLOCK = 1 << 16
_NAME_AT = 66
_DOS_ONLY = 2
_LAST = 2
_IS_DIRECTORY = 0x10000000
_REFERENCE = (1 << 48) - 1


class Name(NamedTuple):
    """One name in a directory: its bytes, the inode it stands for, whether it is live, the library's name type."""

    name: bytes
    inode: int
    allocated: bool
    type: int


def ext_parts(directory: Any, block_size: int) -> Iterator[bytes]:
    """Read a directory, an open file of the library, each time some whole blocks but for the last."""
    size = directory.info.meta.size
    step = max(block_size, _READ // block_size * block_size)
    for offset in range(0, size, step):
        yield directory.read_random(offset, min(step, size - offset))


def ext_names(parts: Iterable[bytes], block_size: int, last_inode: int) -> Iterator[Name]:
    """List an ext directory from its content, cut between blocks: live names first, then deleted ones, each once."""
    seen: set[int] = set()
    deleted: list[Name] = []
    for data in parts:
        for start in range(0, len(data), block_size):
            for name in _ext_block(data[start : start + block_size], last_inode):
                if name.allocated:
                    seen.add(hash((name.inode, name.name)))
                    yield name
                else:
                    deleted.append(name)
    for name in deleted:
        key = hash((name.inode, name.name))
        if key not in seen:
            seen.add(key)
            yield name


def ntfs_names(directory: Any) -> Iterator[Name]:
    """List the live names of an NTFS directory from an open file of the library. Raises ValueError where damaged."""
    parts = {int(a.info.type): (a.info.id, a.info.size) for a in directory if a.info.name == b"$I30"}
    root = _attribute(directory, _INDEX_ROOT, *parts[_INDEX_ROOT])
    block = int.from_bytes(root[8:12], "little")
    if not _STRIDE <= block <= _MOST_BLOCK:
        raise ValueError(f"index blocks of {block} bytes")
    yield from _index_entries(root, 16)
    bitmap = _attribute(directory, _BITMAP, *parts[_BITMAP])
    identity, size = parts[_INDEX_ALLOCATION]
    step = _READ // block * block
    for offset in range(0, size, step):
        data = directory.read_random(offset, min(step, size - offset), _INDEX_ALLOCATION, identity)
        for start in range(0, len(data), block):
            number = (offset + start) // block
            if number // 8 < len(bitmap) and bitmap[number // 8] >> number % 8 & 1:
                yield from _index_entries(_fixed_up(data[start : start + block]), 24)


class OwnName(NamedTuple):
    """The name that an NTFS record carries itself, and the record of its directory as that was then."""

    name: bytes
    parent: int
    sequence: int


def file_name(record: Any) -> OwnName | None:
    """Return the long name that an NTFS record carries itself, or None; `record` is an open file of the library."""
    for attribute in record:
        if int(attribute.info.type) == _FILE_NAME:
            data = _attribute(record, _FILE_NAME, attribute.info.id, attribute.info.size)
            if len(data) > _NAME_AT and data[_NAME_AT - 1] != _DOS_ONLY:
                reference = int.from_bytes(data[:8], "little")
                name = _utf8(data[_NAME_AT : _NAME_AT + 2 * data[_NAME_AT - 2]])
                return OwnName(name, reference & _REFERENCE, reference >> 48)
    return None


def _ext_block(block: bytes, last_inode: int) -> list[Name]:
    """List one block; `slack` counts the bytes that the record before has left over, where deleted names lie."""
    found: list[Name] = []
    end = len(block)
    position = slack = 0
    while position <= end - _MIN_RECORD:
        inode, record, length, kind = _RECORD(block, position)
        needed = (length + 11) & ~3
        sound = length and inode <= last_inode and needed <= record and not record & 3
        if not sound or position + record > end or 0 < slack < needed:
            step = 4 if length else _zeros(block, position)
            position += step
            slack = max(0, slack - step)
            continue
        own_name = block[position + 8 : position + 8 + length]
        if 0 in own_name:
            own_name = own_name[: own_name.index(0)]
        found.append(Name(own_name, inode, not slack and inode != 0, _EXT_TYPES.get(kind, _UNDEFINED)))
        if slack:
            slack = max(0, slack - needed)
        if not slack and record - needed >= _MIN_RECORD:
            slack = record - needed
        elif not slack:
            needed = record
        position += needed
    return found


def _zeros(block: bytes, position: int) -> int:
    """Return how far the next place is at which a record may begin, where the one at `position` has no name."""
    found = _NOT_ZERO.search(block, position)
    return len(block) if found is None else max(4, (found.start() - 6 - position + 3) & ~3)


def _index_entries(node: bytes, header: int) -> Iterator[Name]:
    """List the entries of one index node whose header begins at `header`."""
    if len(node) < header + 8:
        return
    first, used = struct.unpack_from("<II", node, header)
    position, end = header + first, min(header + used, len(node))
    while position + 16 <= end:
        reference, length, content, flags = struct.unpack_from("<QHHH", node, position)
        if flags & _LAST or length < 16 or position + length > end:  # noqa: PLR2004 - the fixed part of an entry
            return
        key = node[position + 16 : position + 16 + content]
        if len(key) > _NAME_AT and key[_NAME_AT - 1] != _DOS_ONLY:
            kind = _DIRECTORY if int.from_bytes(key[56:60], "little") & _IS_DIRECTORY else _REGULAR
            name = _utf8(key[_NAME_AT : _NAME_AT + 2 * key[_NAME_AT - 2]])
            yield Name(name, reference & _REFERENCE, allocated=True, type=kind)
        position += length


def _fixed_up(block: bytes) -> bytes:
    """Return an index block with the ends of its sectors put back. Raises ValueError where they do not agree."""
    if block[:4] != b"INDX":
        raise ValueError("an index block without its signature")
    start, count = struct.unpack_from("<HH", block, 4)
    array = block[start : start + 2 * count]
    fixed = bytearray(block)
    for sector in range(min(count - 1, len(block) // _STRIDE)):
        end = (sector + 1) * _STRIDE
        if fixed[end - 2 : end] != array[:2]:
            raise ValueError("an index block that was not written to its end")
        fixed[end - 2 : end] = array[2 * sector + 2 : 2 * sector + 4]
    return bytes(fixed)


def _attribute(handle: Any, kind: int, identity: int, size: int) -> bytes:
    return bytes(handle.read_random(0, size, kind, identity)) if size else b""


def _utf8(name: bytes) -> bytes:
    return name.decode("utf-16-le", "surrogatepass").encode("utf-8", "surrogatepass")
