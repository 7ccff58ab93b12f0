"""The block tables of an Apple UDIF disk image and the chunks they name.

Facts: the structures of the UDIF trailer and block tables as documented for libmodi (Mac OS disk image types), and
hdiutil's manual for the kinds of compression.
"""

import bz2
import lzma
import plistlib
import struct
import zlib
from array import array
from bisect import bisect_right
from dataclasses import dataclass
from typing import Any, Protocol, Self

import pymodi

from triage.model.errors import EvidenceError
from triage.sources.container_file import PLAUSIBLE_SIZE, ByteCache, ContainerFile

SECTOR = 512
TRAILER_SIZE = 512
SIGNATURE = b"koly"
_TRAILER = struct.Struct(">4sIIIQQQQQII")
_PROPERTIES_AT, _SECTORS_AT = 216, 492
_TABLE = struct.Struct(">4sIQQQII")
_TABLE_SIZE, _TABLE_COUNT_AT = 204, 200
_CHUNK = struct.Struct(">IIQQQQ")
_LARGEST_PROPERTIES = 32 * 1024 * 1024
_LARGEST_CHUNK = 64 * 1024 * 1024
_CACHE = 8 * 1024 * 1024
_ZEROS, _RAW, _IGNORED = 0, 1, 2
_ADC, _ZLIB, _BZIP2, _LZFSE, _LZMA = range(0x8000_0004, 0x8000_0009)
_COMMENT, _END = 0x7FFF_FFFE, 0xFFFF_FFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Trailer:
    """Where things lie in the file and how large the disk is, in bytes."""

    data_offset: int
    properties_offset: int
    properties_length: int
    segments: int
    size: int

    @classmethod
    def parse(cls, raw: bytes) -> Self | None:
        """Return the trailer in the last 512 bytes, or None if they are none."""
        if len(raw) < TRAILER_SIZE or not raw.startswith(SIGNATURE):
            return None
        fields = _TRAILER.unpack_from(raw)
        offset, length = struct.unpack_from(">QQ", raw, _PROPERTIES_AT)
        (sectors,) = struct.unpack_from(">Q", raw, _SECTORS_AT)
        return cls(
            data_offset=fields[5],
            properties_offset=offset,
            properties_length=length,
            segments=fields[10],
            size=sectors * SECTOR,
        )


class _Decompressor(Protocol):
    @property
    def eof(self) -> bool: ...

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...


class Chunks:
    """All chunks of all block tables, sorted by where they begin in the disk; offsets and lengths in bytes."""

    def __init__(self) -> None:
        self.starts, self.ends, self.kinds = array("Q"), array("Q"), array("Q")
        self.offsets, self.lengths = array("Q"), array("Q")

    @classmethod
    def read(cls, file: ContainerFile, trailer: Trailer) -> Self:
        """Return the chunks that the property list of an image names. Raises EvidenceError if there is none."""
        if not 0 < trailer.properties_length <= _LARGEST_PROPERTIES:
            raise EvidenceError("there are no block tables, or they are too large")
        raw = file.read_exactly(trailer.properties_offset, trailer.properties_length)
        found: list[tuple[int, int, int, int, int]] = []
        for table in _tables(raw):
            found.extend(_chunks(table, trailer.data_offset))
        found.sort()
        chunks = cls()
        for start, end, kind, offset, length in found:
            chunks.starts.append(start)
            chunks.ends.append(end)
            chunks.kinds.append(kind)
            chunks.offsets.append(offset)
            chunks.lengths.append(length)
        return chunks


def _tables(raw: bytes) -> list[bytes]:
    """Return the block tables in a property list. Raises EvidenceError if it is none."""
    try:
        properties: Any = plistlib.loads(raw, fmt=plistlib.FMT_XML)
        tables = [entry["Data"] for entry in properties["resource-fork"]["blkx"]]
    except Exception as error:  # a hostile property list fails in as many ways as expat and plistlib have lines
        raise EvidenceError("the block tables cannot be read: damaged property list") from error
    return [table for table in tables if isinstance(table, bytes)]


def _chunks(table: bytes, data_offset: int) -> list[tuple[int, int, int, int, int]]:
    """Return start and end in the disk, kind, and offset and length in the file, of each chunk that makes sense."""
    if len(table) < _TABLE_SIZE or not table.startswith(b"mish"):
        raise EvidenceError("a block table is damaged")
    _, _, first, _, base, _, _ = _TABLE.unpack_from(table)
    (count,) = struct.unpack_from(">I", table, _TABLE_COUNT_AT)
    if count > (len(table) - _TABLE_SIZE) // _CHUNK.size:
        raise EvidenceError("a block table is cut")
    found: list[tuple[int, int, int, int, int]] = []
    for index in range(count):
        kind, _, sector, sectors, offset, length = _CHUNK.unpack_from(table, _TABLE_SIZE + index * _CHUNK.size)
        start = (first + sector) * SECTOR
        end = start + sectors * SECTOR
        position = data_offset + base + offset
        if kind in (_COMMENT, _END) or not sectors:
            continue
        if max(end, position, length) > PLAUSIBLE_SIZE:
            raise EvidenceError("a block table is damaged")
        found.append((start, end, kind, position, length))
    return found


class UdifBlocks:
    """The disk by its chunks; the decompressed ones in a bounded cache."""

    def __init__(self, file: ContainerFile, chunks: Chunks) -> None:
        self._file = file
        self._chunks = chunks
        self._cache = ByteCache(_CACHE)
        self._library: Any = None

    def span(self, offset: int) -> int:
        """Return the bytes to the end of the chunk, or of the gap between two."""
        index = bisect_right(self._chunks.starts, offset)
        borders = [self._chunks.starts[index]] if index < len(self._chunks.starts) else []
        if index and self._chunks.ends[index - 1] > offset:
            borders.append(self._chunks.ends[index - 1])
        return min(borders, default=PLAUSIBLE_SIZE) - offset

    def read(self, offset: int, length: int) -> bytes | None:
        """Return bytes of one chunk; None where the image keeps nothing. Raises EvidenceError."""
        index = bisect_right(self._chunks.starts, offset) - 1
        if index < 0 or self._chunks.ends[index] <= offset:
            raise EvidenceError("no block table covers this place")
        kind = self._chunks.kinds[index]
        if kind in (_ZEROS, _IGNORED):
            return None
        start = offset - self._chunks.starts[index]
        if kind == _RAW:
            if start + length > self._chunks.lengths[index]:
                raise EvidenceError("a stored chunk is shorter than its place")
            return self._file.read_some(self._chunks.offsets[index] + start, length)
        return self._decompressed(index)[start : start + length]

    def close(self) -> None:
        """Close the file."""
        if self._library is not None:
            self._library.close()
            self._library = None
        self._file.close()

    def _decompressed(self, index: int) -> bytes:
        known = self._cache.get(index)
        if known is not None:
            return known
        chunks = self._chunks
        size = chunks.ends[index] - chunks.starts[index]
        if max(size, chunks.lengths[index]) > _LARGEST_CHUNK:
            raise EvidenceError("damaged block table: a compressed chunk is too large")
        if chunks.kinds[index] in (_ADC, _LZFSE):
            data = self._by_library(chunks.starts[index], size)
        else:
            packed = self._file.read_exactly(chunks.offsets[index], chunks.lengths[index])
            data = _decompress(_decompressor(chunks.kinds[index]), packed, size)
        self._cache.put(index, data)
        return data

    def _by_library(self, start: int, size: int) -> bytes:
        """Return a chunk whose compression the standard library does not know, as libmodi reads it."""
        try:
            if self._library is None:
                handle = pymodi.handle()
                handle.open_file_object(self._file.stream)
                self._library = handle
            data = self._library.read_buffer_at_offset(size, start)
        except Exception as error:  # libmodi raises what it likes on damaged chunks: OSError, MemoryError and others
            raise EvidenceError("a chunk compressed by ADC or LZFSE cannot be decoded") from error
        if len(data) != size:
            raise EvidenceError("a chunk compressed by ADC or LZFSE ends too early")
        return bytes(data)


def _decompress(stream: _Decompressor, packed: bytes, size: int) -> bytes:
    try:
        # one byte more than the chunk, so that the checksum after the data is reached and checked
        data = stream.decompress(packed, size + 1)
    except (zlib.error, lzma.LZMAError, OSError, ValueError) as error:
        raise EvidenceError("damaged compressed chunk") from error
    if not stream.eof or len(data) != size:
        raise EvidenceError("damaged compressed chunk: it does not end where it should")
    return data


def _decompressor(kind: int) -> _Decompressor:
    if kind == _ZLIB:
        return zlib.decompressobj()
    if kind == _BZIP2:
        return bz2.BZ2Decompressor()
    if kind == _LZMA:
        return lzma.LZMADecompressor(memlimit=2 * _LARGEST_CHUNK)
    raise EvidenceError(f"chunks compressed by method 0x{kind:x} are not supported; convert it to a raw image")
