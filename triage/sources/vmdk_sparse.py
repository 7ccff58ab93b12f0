"""The sparse extents of VMDK images: hosted (KDMV) and ESX (COWD).

Facts: VMware Virtual Disk Format 5.0 technical note; libyal documentation of the VMDK format for COWD.
"""

import struct
import zlib
from dataclasses import dataclass
from typing import Self

from triage.model.errors import EvidenceError
from triage.sources.container_file import PLAUSIBLE_SIZE, ByteCache, ContainerFile

SECTOR = 512
HOSTED, ESX, SE_SPARSE = b"KDMV", b"COWD", b"\xbe\xba\xfe\xca\x00\x00\x00\x00"
_HOSTED_HEADER = struct.Struct("<4sIIQQQQIQQQB4sH")
_ESX_HEADER = struct.Struct("<4sIIIIII")
_MARKER = struct.Struct("<QI")
_ENTRY = struct.Struct("<I")
_AT_END = 0xFFFF_FFFF_FFFF_FFFF
_FOOTER_FROM_END = 1024
_ZEROED_GRAINS, _COMPRESSED, _MARKERS = 1 << 2, 1 << 16, 1 << 17
_DEFLATE = 1
_ZERO_GRAIN = 1
_LARGEST_GRAIN = 16 * 1024 * 1024
_LARGEST_TABLE = 65536
_ESX_TABLE = 4096
_CACHE = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class SparseHeader:
    """What the reader needs; `capacity` and `grain` in bytes, `descriptor` and `directories` as offsets in bytes.

    `table` is the number of grains in one grain table.
    """

    capacity: int
    grain: int
    table: int
    directories: tuple[int, ...]
    descriptor: tuple[int, int] = (0, 0)
    zeroed_grains: bool = False
    compressed: bool = False
    markers: bool = False

    @classmethod
    def read(cls, file: ContainerFile) -> Self:
        """Return the header of an extent. Raises EvidenceError if it makes no sense."""
        head = file.read_exactly(0, SECTOR)
        if not head.startswith((HOSTED, ESX)):
            raise EvidenceError("the signature of a sparse extent is missing")
        header = cls._esx(head) if head.startswith(ESX) else cls._hosted(head, file)
        if not 0 < header.capacity <= PLAUSIBLE_SIZE:
            raise EvidenceError(f"damaged header: virtual size of {header.capacity} bytes")
        if not 0 < header.grain <= _LARGEST_GRAIN or not 0 < header.table <= _LARGEST_TABLE:
            raise EvidenceError(f"damaged header: grains of {header.grain} bytes, {header.table} in a table")
        return header

    @classmethod
    def _esx(cls, head: bytes) -> Self:
        _, _, _, sectors, grain, directory, _ = _ESX_HEADER.unpack_from(head)
        return cls(capacity=sectors * SECTOR, grain=grain * SECTOR, table=_ESX_TABLE, directories=(directory * SECTOR,))

    @classmethod
    def _hosted(cls, head: bytes, file: ContainerFile) -> Self:
        fields = _HOSTED_HEADER.unpack_from(head)
        if fields[9] == _AT_END:
            footer = file.read_up_to(file.size - _FOOTER_FROM_END, SECTOR) if file.size > _FOOTER_FROM_END else b""
            if not footer.startswith(HOSTED) or len(footer) < SECTOR:
                footer = head  # the disk keeps its size, its tables are reported as lost
            fields = _HOSTED_HEADER.unpack_from(footer)
        _, _, flags, capacity, grain, text_at, text_length, table, second, first, _, _, _, algorithm = fields
        if flags & _COMPRESSED and algorithm != _DEFLATE:
            raise EvidenceError(f"grains compressed by method {algorithm} are not supported")
        return cls(
            capacity=capacity * SECTOR,
            grain=grain * SECTOR,
            table=table,
            directories=tuple(sector * SECTOR for sector in (first, second) if sector),
            descriptor=(text_at * SECTOR, text_length * SECTOR),
            zeroed_grains=bool(flags & _ZEROED_GRAINS),
            compressed=bool(flags & _COMPRESSED),
            markers=bool(flags & _MARKERS),
        )


class SparseBlocks:
    """Grains by grain directory and grain tables, read as they are needed; the caches are bounded."""

    def __init__(self, file: ContainerFile, header: SparseHeader) -> None:
        self._file = file
        self._header = header
        self._tables = ByteCache(_CACHE)
        self._inflated = ByteCache(_CACHE)

    def span(self, offset: int) -> int:
        """Return the bytes to the end of the grain."""
        return self._header.grain - offset % self._header.grain

    def read(self, offset: int, length: int) -> bytes | None:
        """Return bytes of one grain; None where the parent shows through. Raises EvidenceError."""
        if offset >= self._header.capacity:
            raise EvidenceError("the extent is shorter than its descriptor says")
        index, start = divmod(offset, self._header.grain)
        entry = self._entry(index)
        if not entry:
            return None
        if entry == _ZERO_GRAIN and self._header.zeroed_grains:
            return bytes(length)
        if self._header.compressed:
            return self._inflate(index, entry * SECTOR)[start : start + length].ljust(length, b"\0")
        return self._file.read_some(entry * SECTOR + start, length)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _entry(self, index: int) -> int:
        table_index, place = divmod(index, self._header.table)
        table = self._tables.get(table_index)
        if table is None:
            table = self._table(table_index)
            self._tables.put(table_index, table)
        return int(_ENTRY.unpack_from(table, place * _ENTRY.size)[0]) if table else 0

    def _table(self, index: int) -> bytes:
        """Return a grain table, empty where there is none; from the redundant directory if the first is lost."""
        cause = "no grain directory"
        for directory in self._header.directories:
            try:
                (sector,) = _ENTRY.unpack(self._file.read_exactly(directory + index * _ENTRY.size, _ENTRY.size))
                return self._file.read_exactly(sector * SECTOR, self._header.table * _ENTRY.size) if sector else b""
            except EvidenceError as error:
                cause = str(error)
        raise EvidenceError(f"a grain table cannot be read: {cause}")

    def _inflate(self, index: int, position: int) -> bytes:
        known = self._inflated.get(index)
        if known is not None:
            return known
        grain = self._header.grain
        length = 2 * grain
        if self._header.markers:
            sector, length = _MARKER.unpack(self._file.read_exactly(position, _MARKER.size))
            position += _MARKER.size
            if sector * SECTOR != index * grain or not 0 < length <= 2 * grain:
                raise EvidenceError("damaged grain marker")
        stream = zlib.decompressobj()
        try:
            # one byte more than a grain, so that the checksum after the data is reached and checked
            data = stream.decompress(self._file.read_up_to(position, length), grain + 1)
        except zlib.error as error:
            raise EvidenceError(f"damaged compressed grain: {error}") from error
        if not stream.eof or len(data) < min(grain, self._header.capacity - index * grain):
            raise EvidenceError("damaged compressed grain: it does not end where it should")
        self._inflated.put(index, data)
        return data
