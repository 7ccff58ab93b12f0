"""The names in the index of an NTFS directory, live ones and those in the slack, as The Sleuth Kit finds them.

It reads the nodes in the order in which they lie, and what is behind the live entries of a node, up to the next node,
at every fourth byte: what looks like an entry of the directory is a deleted name. Facts: the NTFS documentation of
libfsntfs, and how The Sleuth Kit 4.15 reads an index.
"""

import struct
from collections.abc import Iterator
from typing import NamedTuple

import pytsk3

from triage.filesystems.ntfs_record import FileRecord, Geometry, OddError
from triage.filesystems.pieces import Pieces
from triage.filesystems.tsk_directories import Name

MOST = 1 << 20
"""An index of more bytes is read in another way."""

_REGULAR = int(pytsk3.TSK_FS_NAME_TYPE_REG)
_DIRECTORY = int(pytsk3.TSK_FS_NAME_TYPE_DIR)
_FILE_NAME = 0x30
_STRIDE = 512
_NODE_HEADER, _LIST_AT = 40, 24
_FIXED, _NAME_AT = 16, 82  # of an entry: before its key, before the name in that
_DOS_ONLY, _LAST_SPACE = 2, 3
_IS_DIRECTORY = 0x10000000
_REFERENCE = (1 << 48) - 1
_TIME_UNIT = 1_000_000_000
_EARLIEST = (369 * 365 + 89) * 24 * 36
_LATEST = _EARLIEST + (50 * 365 + 6) * 24 * 36
_ENTRY = struct.Struct("<QHH").unpack_from
_KEY = struct.Struct("<QQQQQQQBB").unpack_from
_LIST = struct.Struct("<III").unpack_from
_FIXES = struct.Struct("<HH").unpack_from


class Found(NamedTuple):
    """One name in an index: the sequence number of the record that it means, and the name in UTF-16."""

    name: Name
    sequence: int
    letters: bytes


def index_names(inode: int, record: FileRecord, last_inode: int, geometry: Geometry, pieces: Pieces) -> Iterator[Found]:
    """Yield the names of the directory `inode`, those in all slack among them. Raises OddError where damaged or odd."""
    root = record.root
    if root is None or len(root) < _NODE_HEADER or int.from_bytes(root[:4], "little") != _FILE_NAME:
        raise OddError
    node = _Reader(inode, last_inode, is_free=not record.in_use)
    first, used, length = _LIST(root, 16)
    if first % 4 or not first <= used <= length <= len(root) - 16:
        raise OddError
    yield from node.names(root, 16 + first, 16 + used, 16 + length)
    if not record.indices:
        if root[28] & 1:
            raise OddError
        return
    yield from node.nodes(_allocation(record, int.from_bytes(root[8:12], "little"), geometry, pieces), geometry)


def _allocation(record: FileRecord, node_size: int, geometry: Geometry, pieces: Pieces) -> bytes:
    """Read all nodes but the root."""
    (index,) = record.indices if len(record.indices) == 1 else (None,)
    if index is None or not index.size == index.allocated == index.written == sum(length for length, _ in index.pairs):
        raise OddError
    if index.compressed or index.size > MOST or not _STRIDE <= geometry.block_size <= node_size:
        raise OddError
    if not all(0 <= start <= geometry.readable - length for length, start in index.pairs):
        raise OddError
    return b"".join(pieces.read_at(start, length) for length, start in index.pairs)


class _Reader(NamedTuple):
    inode: int
    last_inode: int
    is_free: bool

    def nodes(self, data: bytes, geometry: Geometry) -> Iterator[Found]:
        """Yield the names of all nodes: each begins at a cluster, and reaches as far as the next one."""
        starts = [at for at in range(0, len(data), geometry.block_size) if data[at : at + 4] == b"INDX"]
        if not starts:
            raise OddError
        for start, end in zip(starts, [*starts[1:], len(data)], strict=True):
            node = _put_back(data[start:end])
            first, used, _ = _LIST(node, _LIST_AT)
            if first % 4 or not first <= used <= len(node) - _LIST_AT:
                raise OddError
            yield from self.names(node, _LIST_AT + first, _LIST_AT + used, len(node))

    def names(self, node: bytes, position: int, used: int, end: int) -> Iterator[Found]:
        """Yield the names between two positions of a node, of which those up to `used` are live."""
        parent, whole = self.inode.to_bytes(6, "little"), end - position
        while position + _NAME_AT + 1 < end:
            reference, length, content = _ENTRY(node, position)
            sound = content < length <= whole and not length % 4 and reference & _REFERENCE <= self.last_inode
            live = content and position + length <= used
            if not sound or node[position + 16 : position + 22] != parent or not (live or _may_be(node, position)):
                position = _next(node, parent, position)
                continue
            letters, space = node[position + 80], node[position + 81]
            stop = position + _NAME_AT + 2 * letters
            if space != _DOS_ONLY and stop < end:
                raw = node[position + _NAME_AT : stop]
                is_directory = int.from_bytes(node[position + 72 : position + 80], "little") & _IS_DIRECTORY
                kind = _DIRECTORY if is_directory else _REGULAR
                name = Name(utf8(raw), reference & _REFERENCE, bool(live and not self.is_free), kind)
                yield Found(name, reference >> 48, raw)
            position = position + length if content else (stop + 3) // 4 * 4


def _next(node: bytes, parent: bytes, position: int) -> int:
    """Return the next position, in steps of four, at which an entry names its directory; the end where none does."""
    at = position + _FIXED
    while (at := node.find(parent, at + 1)) >= 0:
        if (at - position) % 4 == 0:
            return at - _FIXED
    return len(node)


def _may_be(node: bytes, position: int) -> bool:
    """Tell whether what lies in the slack may have been an entry."""
    created, modified, _, accessed, allocated, size, _, letters, space = _KEY(node, position + 24)
    if space > _LAST_SPACE or allocated < size or not letters or not node[position + _NAME_AT]:
        return False
    return all(_EARLIEST <= time // _TIME_UNIT <= _LATEST for time in (created, modified, accessed))


def _put_back(node: bytes) -> bytes:
    """Return a node with the ends of its sectors put back."""
    if len(node) < _NODE_HEADER + _NAME_AT:
        raise OddError
    at, count = _FIXES(node, 4)
    if not count or (count - 1) * _STRIDE > len(node) or at + 2 * count > len(node):
        raise OddError
    check, fixed = node[at : at + 2], bytearray(node)
    for end in range(_STRIDE, (count - 1) * _STRIDE + 1, _STRIDE):
        if fixed[end - 2 : end] != check:
            raise OddError
        at += 2
        fixed[end - 2 : end] = fixed[at : at + 2]
    return bytes(fixed)


def utf8(letters: bytes) -> bytes:
    """Return a name in UTF-8. Raises OddError where it ends early, is empty, or the library replaces a part of it."""
    try:
        name = letters.decode("utf-16-le")
    except UnicodeDecodeError:
        raise OddError from None
    if not name or "\0" in name:
        raise OddError
    return name.encode()
