"""The content of a Btrfs file: its extents, where they lie, and how they are decompressed.

An extent item is 21 bytes of header and, inline, the bytes themselves; else where the extent lies and which part of it
the file uses. Compressed extents are zlib, LZO (in segments that no segment header divides across a sector) or zstd.
Facts: the Btrfs on-disk format documentation and the kernel's fs/btrfs/lzo.c.
"""

import struct
import zlib
from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass

from dissect.util.compression import lzo

from triage.filesystems.btrfs_trees import Trees
from triage.model.errors import EvidenceError
from triage.model.runs import ByteRun, Runs
from triage.sources import zstandard

_HEADER = struct.Struct("<QQBBHB")
_PLACE = struct.Struct("<QQQQ")
_INLINE, _REGULAR = 0, 1
_ZLIB, _LZO, _ZSTD = 1, 2, 3
_LZO_LENGTH = 4  # bytes of a length in an LZO stream
_MAX_DECODED = 1 << 20  # the kernel writes compressed extents of at most 128 KiB


@dataclass(frozen=True, slots=True, kw_only=True)
class Extent:
    """`length` bytes of a file from `start`, which are those from `offset` on in an extent once it is decoded.

    `inline` holds the stored bytes of an inline extent; else they are `stored` bytes at the logical `address`.
    """

    start: int
    length: int
    offset: int
    decoded: int
    compression: int
    encryption: int
    address: int = 0
    stored: int = 0
    inline: bytes | None = None

    @property
    def plain(self) -> bool:
        """Whether the bytes lie on the disk as they are, outside the trees."""
        return self.inline is None and not self.compression and not self.encryption


def parse_extents(items: Iterable[tuple[int, bytes]]) -> list[Extent]:
    """Return the extents of (offset in the file, item) pairs, without those that read as zeros.

    Raises EvidenceError for an item that is none.
    """
    extents: list[Extent] = []
    for start, data in items:
        try:
            extent = _parse(start, data)
        except struct.error as error:
            raise EvidenceError(f"the extent at {start} is damaged") from error
        if extent is not None:
            extents.append(extent)
    return extents


def _parse(start: int, data: bytes) -> Extent | None:
    _, decoded, compression, encryption, _, kind = _HEADER.unpack_from(data)
    if kind == _INLINE:
        return Extent(
            start=start,
            length=decoded,
            offset=0,
            decoded=decoded,
            compression=compression,
            encryption=encryption,
            inline=data[_HEADER.size :],
        )
    address, stored, offset, length = _PLACE.unpack_from(data, _HEADER.size)
    if kind != _REGULAR or address == 0:
        return None  # preallocated, or a hole
    return Extent(
        start=start,
        length=length,
        offset=offset,
        decoded=decoded,
        compression=compression,
        encryption=encryption,
        address=address,
        stored=stored,
    )


def runs_of(trees: Trees, volume_offset: int, volume_size: int, extents: list[Extent], size: int) -> Runs:
    """Return where the extents lie in the source, first copies, cut to the volume's end.

    A plain extent is cut to the file's size; a compressed one is there as a whole, as stored.
    """
    runs: list[ByteRun] = []
    for extent in extents:
        used = min(extent.length, size - extent.start)
        if extent.inline is not None or used <= 0:
            continue
        start, length = (extent.address + extent.offset, used) if extent.plain else (extent.address, extent.stored)
        try:
            pieces = trees.chunks.find(start, length)
        except EvidenceError:
            continue  # reading it will say so
        for copies, length in pieces:
            inside = min(length, volume_size - copies[0])
            if inside > 0:
                runs.append(ByteRun(volume_offset + copies[0], inside))
    return tuple(runs)


class FileReader:
    """Reads one file of `size` bytes; keeps the compressed extent it decoded last."""

    def __init__(self, trees: Trees, extents: list[Extent], size: int) -> None:
        self._trees = trees
        self._extents = sorted(extents, key=lambda extent: extent.start)
        self._starts = [extent.start for extent in self._extents]
        self._size = size
        self._decoded: tuple[Extent, bytes] | None = None

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes, short only at the end of the file; holes are zeros. Raises EvidenceError."""
        end = min(offset + length, self._size)
        pieces: list[bytes] = []
        while offset < end:
            index = bisect_right(self._starts, offset) - 1
            stop = min(end, self._starts[index + 1]) if index + 1 < len(self._starts) else end
            extent = self._extents[index] if index >= 0 else None
            if extent is None or offset >= extent.start + extent.length:
                pieces.append(bytes(stop - offset))
            else:
                stop = min(stop, extent.start + extent.length)
                pieces.append(self._part(extent, offset - extent.start, stop - offset))
            offset = stop
        return b"".join(pieces)

    def _part(self, extent: Extent, position: int, length: int) -> bytes:
        """Return exactly `length` bytes of what the file uses of an extent."""
        start = extent.offset + position
        if extent.encryption:
            raise EvidenceError("an extent is encrypted")
        if extent.plain:
            return self._trees.read(extent.address + start, length)
        if self._decoded is None or self._decoded[0] is not extent:
            self._decoded = (extent, self._decode(extent))
        # A short inline extent ends in zeros, as does a compressed one whose last sector is not full.
        return self._decoded[1][start : start + length].ljust(length, b"\0")

    def _decode(self, extent: Extent) -> bytes:
        if extent.decoded > _MAX_DECODED or extent.stored > _MAX_DECODED:
            raise EvidenceError(f"a compressed extent says to hold {extent.decoded} bytes")
        stored = self._trees.read(extent.address, extent.stored) if extent.inline is None else extent.inline
        decoded = decompress(stored, extent.compression, extent.decoded, self._trees.superblock.sector_size)
        if len(decoded) < extent.decoded - self._trees.superblock.sector_size:
            raise EvidenceError(f"a compressed extent of {extent.decoded} bytes ends after {len(decoded)}")
        return decoded


def decompress(stored: bytes, method: int, size: int, sector_size: int) -> bytes:
    """Return at most `size` decoded bytes. Raises EvidenceError when they cannot be decoded."""
    try:
        if method == 0:
            return stored[:size]
        if method == _ZLIB:
            return zlib.decompressobj().decompress(stored, size)
        if method == _LZO:
            return _decompress_lzo(stored, size, sector_size)
    except Exception as error:  # the decoders meet hostile bytes: any type of error means that they cannot be decoded
        raise EvidenceError(f"a compressed extent is damaged: {error}") from error
    if method == _ZSTD:
        return zstandard.decompress(stored, size)
    raise EvidenceError(f"an extent is compressed by method {method}, which is not known")


def _decompress_lzo(stored: bytes, size: int, sector_size: int) -> bytes:
    end = min(len(stored), int.from_bytes(stored[:_LZO_LENGTH], "little"))
    position = _LZO_LENGTH
    pieces: list[bytes] = []
    left = size
    while position + _LZO_LENGTH <= end and left > 0:
        length = int.from_bytes(stored[position : position + _LZO_LENGTH], "little")
        position += _LZO_LENGTH
        piece = _decompress_lzo_segment(stored[position : position + length], min(left, sector_size))
        pieces.append(piece)
        left -= len(piece)
        position += length
        room = -position % sector_size
        position += room if room < _LZO_LENGTH else 0
    return b"".join(pieces)


def _decompress_lzo_segment(segment: bytes, size: int) -> bytes:
    try:
        return bytes(lzo.decompress(segment, False, size))
    except BaseException as error:
        # The native decoder panics on hostile bytes, with an exception of Rust that is no Exception.
        if type(error).__name__ == "PanicException":
            raise EvidenceError("an LZO segment is damaged") from error
        raise
