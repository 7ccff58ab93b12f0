"""QCOW2 disk images, versions 2 and 3, with backing files.

Our own reader, because libqcow returns wrong bytes for compressed clusters without a word. Facts: the QCOW2 image
format specification, docs/interop/qcow2 of QEMU.
"""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

from triage.model.errors import EvidenceError, SourceError
from triage.model.evidence import SourceInfo
from triage.model.item import printable
from triage.sources import zstandard
from triage.sources.block_source import Below, BlockSource
from triage.sources.container_file import ByteCache, ContainerFile, beside
from triage.sources.difference import Chain, open_parent, with_parent
from triage.sources.flat import FlatBlocks
from triage.sources.qcow2_header import MAGIC, Feature, Header
from triage.sources.source import EvidenceSource
from triage.sources.unreadable import UnreadableSource

Opener = Callable[[Path], EvidenceSource | None]

_HEAD = 64 * 1024
_TABLE_CACHE = 16 * 1024 * 1024
_CLUSTER_CACHE = 8 * 1024 * 1024
_OFFSET = 0x00FF_FFFF_FFFF_FE00
_COPIED = 1 << 63
_COMPRESSED = 1 << 62
_ZERO = 1
_SUBCLUSTERS = 32
_ENCRYPTION = {1: "qcow2 AES", 2: "qcow2 LUKS"}
_WINDOW_BITS = -12


def open_qcow2(path: Path, opener: Opener | None = None) -> EvidenceSource | None:
    """Return the virtual disk of a QCOW2 image, or None if the file is none.

    `opener` opens a backing file of a kind other than QCOW2 and raw. Raises SourceError if the file cannot be opened.
    """
    return _open(path, (path.resolve(),), opener)


def _open(path: Path, chain: Chain, opener: Opener | None) -> EvidenceSource | None:
    file = ContainerFile(path)
    head = file.peek(0, _HEAD)
    if not head.startswith(MAGIC):
        file.close()
        return None
    try:
        header = Header.parse(head)
    except EvidenceError as error:
        file.close()
        return _unreadable(file, file.size, f"QCOW2 image: {error}")
    if header.crypt_method:
        file.close()
        method = _ENCRYPTION[header.crypt_method]
        return _unreadable(file, header.size, f"the image is encrypted ({method})", method)
    data = _data_file(file, header)
    if data is None:
        file.close()
        name = printable(header.data_file or "without a name")
        return _unreadable(file, header.size, f"external data file {name} is missing: put it beside the image")
    below = _backing(path, header.backing_file, opener, chain) if header.backing_file is not None else Below()
    info = SourceInfo(
        kind="qcow2",
        files=tuple(dict.fromkeys((str(path), str(data.path)))),
        size=header.size,
        troubles=_troubles(file, header),
    )
    return BlockSource(with_parent(info, below), Qcow2Blocks(file, data, header), below)


def _data_file(file: ContainerFile, header: Header) -> ContainerFile | None:
    """Return the file that holds the clusters: the image itself, or the external one beside it, None if missing."""
    if not header.features & Feature.DATA_FILE:
        return file
    found = beside(file.path, header.data_file or "")
    try:
        return ContainerFile(found) if found is not None else None
    except SourceError:
        return None


def _unreadable(file: ContainerFile, size: int, reason: str, encrypted: str | None = None) -> UnreadableSource:
    info = SourceInfo(kind="qcow2", files=(str(file.path),), size=size, troubles=(reason,), encrypted=encrypted)
    return UnreadableSource(info, reason)


def _troubles(file: ContainerFile, header: Header) -> tuple[str, ...]:
    troubles: list[str] = []
    if header.features & Feature.CORRUPT:
        troubles.append("the image is marked as corrupt")
    if header.l1_offset + header.l1_entries * 8 > file.size:
        troubles.append("the file ends before the end of its first table (L1)")
    if header.snapshots:
        troubles.append(f"internal snapshots are not examined: {header.snapshots}")
    return tuple(troubles)


def _backing(path: Path, name: str, opener: Opener | None, chain: Chain) -> Below:
    def open_backing(found: Path, further: Chain) -> EvidenceSource | None:
        return _open(found, further, opener) or (opener(found) if opener else None) or _raw(found)

    names = (name.removeprefix("file:"),)
    return open_parent(path, names, chain, is_parent=lambda _: True, opener=open_backing, what="backing file")


def _raw(path: Path) -> EvidenceSource:
    file = ContainerFile(path)
    return BlockSource(SourceInfo(kind="raw", files=(str(path),), size=file.size), FlatBlocks(file))


class Qcow2Blocks:
    """Clusters by the two-level tables, read as they are needed; the caches are bounded."""

    def __init__(self, tables: ContainerFile, data: ContainerFile, header: Header) -> None:
        self._tables = tables
        self._data = data
        self._header = header
        self._cluster = 1 << header.cluster_bits
        self._extended = bool(header.features & Feature.EXTENDED_L2)
        self._entry = struct.Struct(">QQ" if self._extended else ">Q")
        self._block = self._cluster // _SUBCLUSTERS if self._extended else self._cluster
        self._l2_tables = ByteCache(_TABLE_CACHE)
        self._inflated = ByteCache(_CLUSTER_CACHE)

    def span(self, offset: int) -> int:
        """Return the bytes to the end of the cluster or subcluster."""
        return self._block - offset % self._block

    def read(self, offset: int, length: int) -> bytes | None:
        """Return bytes of one cluster; None where the backing file shows through."""
        index, start = divmod(offset, self._cluster)
        fields = self._l2_entry(index)
        if fields is None:
            return None
        entry = fields[0]
        if entry & _COMPRESSED:
            return self._inflate(index, entry)[start : start + length]
        stored = self._stored(fields, start)
        if stored:
            return self._plain(entry & _OFFSET, start, length)
        return None if stored is None else bytes(length)

    def close(self) -> None:
        """Close the files."""
        self._tables.close()
        self._data.close()

    def _stored(self, fields: tuple[int, ...], start: int) -> bool | None:
        """Return True: stored, False: zeros, None: the backing file shows through."""
        if self._extended:
            index = start // self._block
            if fields[1] >> (_SUBCLUSTERS + index) & 1:
                return False
            return True if fields[1] >> index & 1 else None
        if fields[0] & _ZERO and self._header.zero_flags:
            return False
        # offset 0 is the header, so it means "nowhere", except in an external data file
        external = self._data is not self._tables and fields[0] & _COPIED
        return True if fields[0] & _OFFSET or external else None

    def _l2_entry(self, index: int) -> tuple[int, ...] | None:
        l1_index, l2_index = divmod(index, self._cluster // self._entry.size)
        if l1_index >= self._header.l1_entries:
            raise EvidenceError("the first table (L1) is too short for the disk")
        table = self._l2_tables.get(l1_index)
        if table is None:
            table = self._load_l2(l1_index)
            self._l2_tables.put(l1_index, table)
        position = l2_index * self._entry.size
        if not table:
            return None
        if position + self._entry.size > len(table):
            raise EvidenceError("the file ends inside a second table (L2)")
        return tuple(map(int, self._entry.unpack_from(table, position)))

    def _load_l2(self, l1_index: int) -> bytes:
        """Return one table, empty where there is none, short where the file ends inside it."""
        try:
            (entry,) = struct.unpack(">Q", self._tables.read_exactly(self._header.l1_offset + l1_index * 8, 8))
        except EvidenceError as error:
            raise EvidenceError(f"the first table (L1) cannot be read: {error}") from error
        offset = entry & _OFFSET
        if not offset:
            return b""
        if offset % self._cluster or offset >= self._tables.size:
            raise EvidenceError("damaged first table (L1): it points outside the file or between clusters")
        return self._tables.read_up_to(offset, self._cluster)

    def _plain(self, host: int, start: int, length: int) -> bytes:
        if host % self._cluster:
            raise EvidenceError("damaged second table (L2): it points between clusters")
        return self._data.read_some(host + start, length)

    def _inflate(self, index: int, entry: int) -> bytes:
        known = self._inflated.get(index)
        if known is not None:
            return known
        bits = 62 - (self._header.cluster_bits - 8)
        host = entry & ((1 << bits) - 1)
        sectors = (entry & (_COMPRESSED - 1)) >> bits
        packed = self._data.read_up_to(host, (sectors + 1) * 512 - host % 512)
        data = _decompressor(self._header.compression)(packed, self._cluster)
        if len(data) < self._cluster:
            raise EvidenceError("damaged compressed cluster: it ends too early")
        self._inflated.put(index, data)
        return data


def _inflate(packed: bytes, size: int) -> bytes:
    try:
        # no flush: a damaged stream must not grow beyond the cluster
        return zlib.decompressobj(_WINDOW_BITS).decompress(packed, size)
    except zlib.error as error:
        raise EvidenceError(f"damaged compressed cluster: {error}") from error


_DECOMPRESSORS: dict[int, Callable[[bytes, int], bytes]] = {0: _inflate, 1: zstandard.decompress}


def _decompressor(kind: int) -> Callable[[bytes, int], bytes]:
    if kind not in _DECOMPRESSORS:
        raise EvidenceError(f"clusters compressed by method {kind} are not supported; convert it to a raw image")
    return _DECOMPRESSORS[kind]
