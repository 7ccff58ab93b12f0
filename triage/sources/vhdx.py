"""VHDX disk images: fixed, dynamic and differencing.

Our own reader, because a difference without its parent reads as an ordinary disk in libvhdi.
Facts: Microsoft MS-VHDX, Virtual Hard Disk v2 File Format.
"""

import struct
from pathlib import Path

from triage.model.errors import EvidenceError
from triage.model.evidence import SourceInfo
from triage.sources.block_source import Below, BlockSource
from triage.sources.container_file import ByteCache, ContainerFile
from triage.sources.difference import Chain, is_stored, open_parent, sectors_alike, with_parent
from triage.sources.source import EvidenceSource
from triage.sources.unreadable import UnreadableSource
from triage.sources.vhdx_structure import SIGNATURE, Geometry, VhdxHeader

_ENTRY = struct.Struct("<Q")
_STATE, _OFFSET = 0x7, 0xFFFF_FFFF_FFF0_0000
_NOT_PRESENT, _ZERO_STATES, _FULLY_PRESENT, _PARTIALLY_PRESENT = 0, (1, 2, 3), 6, 7
_SECTORS_A_BITMAP = 1 << 23
_BITMAP_STEP = 4096
_BITMAP_CACHE = 8 * 1024 * 1024


def open_vhdx(path: Path) -> EvidenceSource | None:
    """Return the virtual disk of a VHDX image, or None if the file is none.

    Raises SourceError if the file cannot be opened.
    """
    return _open(path, (path.resolve(),))


def _open(path: Path, chain: Chain) -> EvidenceSource | None:
    file = ContainerFile(path)
    if file.peek(0, len(SIGNATURE)) != SIGNATURE:
        file.close()
        return None
    try:
        header = VhdxHeader.read(file)
        geometry = Geometry.read(file)
    except EvidenceError as error:
        file.close()
        reason = f"VHDX image: {error}"
        info = SourceInfo(kind="vhdx", files=(str(path),), size=file.size, troubles=(reason,))
        return UnreadableSource(info, reason)
    below = Below() if geometry.parent is None else _parent(path, geometry, chain)
    info = SourceInfo(
        kind="vhdx",
        files=(str(path),),
        size=geometry.size,
        sector_size=geometry.sector,
        troubles=_troubles(header, geometry),
    )
    return BlockSource(with_parent(info, below), VhdxBlocks(file, geometry), below)


def _troubles(header: VhdxHeader, geometry: Geometry) -> tuple[str, ...]:
    troubles: list[str] = []
    if not header.sound:
        troubles.append("the checksum of both headers is wrong")
    if header.dirty:
        troubles.append("the log was not written back to the disk: its last changes are not seen here")
    if geometry.table_length // _ENTRY.size < geometry.size // geometry.block:
        troubles.append("the block allocation table is too short for the disk")
    return tuple(troubles)


def _parent(path: Path, geometry: Geometry, chain: Chain) -> Below:
    def is_parent(found: Path) -> bool:
        file = ContainerFile(found)
        try:
            return geometry.is_parent(VhdxHeader.read(file))
        finally:
            file.close()

    return open_parent(path, geometry.parent_names, chain, is_parent=is_parent, opener=_open)


class VhdxBlocks:
    """Payload blocks by the block allocation table, read as it is needed; bitmaps say which sectors are stored."""

    def __init__(self, file: ContainerFile, geometry: Geometry) -> None:
        self._file = file
        self._geometry = geometry
        self._ratio = _SECTORS_A_BITMAP * geometry.sector // geometry.block
        self._bitmaps = ByteCache(_BITMAP_CACHE)

    def span(self, offset: int) -> int:
        """Return the bytes to the end of the block, in a partly stored one to the end of the sectors of one kind."""
        index, start = divmod(offset, self._geometry.block)
        rest = self._geometry.block - start
        try:
            if self._entry(self._place(index)) & _STATE != _PARTIALLY_PRESENT:
                return rest
            bitmap, sector = self._bitmap(index, start)
        except EvidenceError:
            return rest  # reading says why
        size = self._geometry.sector
        return min(sectors_alike(bitmap, sector, high_bit_first=False) * size - offset % size, rest)

    def read(self, offset: int, length: int) -> bytes | None:
        """Return bytes of one span; None where the parent shows through. Raises EvidenceError."""
        index, start = divmod(offset, self._geometry.block)
        entry = self._entry(self._place(index))
        state = entry & _STATE
        if state == _NOT_PRESENT:
            return None
        if state in _ZERO_STATES:
            return bytes(length)
        if state == _PARTIALLY_PRESENT:
            bitmap, sector = self._bitmap(index, start)
            if not is_stored(bitmap, sector, high_bit_first=False):
                return None
        elif state != _FULLY_PRESENT:
            raise EvidenceError(f"damaged block allocation table: block state {state}")
        return self._file.read_some((entry & _OFFSET) + start, length)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _place(self, index: int) -> int:
        """Return the place of a payload block in the table: after every chunk one entry is that of its bitmap."""
        return index + index // self._ratio

    def _entry(self, place: int) -> int:
        if place >= self._geometry.table_length // _ENTRY.size:
            raise EvidenceError("the block allocation table is too short for the disk")
        raw = self._file.read_exactly(self._geometry.table_offset + place * _ENTRY.size, _ENTRY.size)
        return int(_ENTRY.unpack(raw)[0])

    def _bitmap(self, index: int, start: int) -> tuple[bytes, int]:
        """Return the step of the chunk's bitmap that holds the sector at `start` of a block, and its bit there."""
        chunk, within = divmod(index, self._ratio)
        bit = (within * self._geometry.block + start) // self._geometry.sector
        step, bit = divmod(bit, _BITMAP_STEP * 8)
        key = chunk * (_SECTORS_A_BITMAP // 8 // _BITMAP_STEP) + step
        known = self._bitmaps.get(key)
        if known is None:
            entry = self._entry(chunk * (self._ratio + 1) + self._ratio)
            if entry & _STATE != _FULLY_PRESENT:
                raise EvidenceError("the bitmap of a partly stored block is missing")
            known = self._file.read_exactly((entry & _OFFSET) + step * _BITMAP_STEP, _BITMAP_STEP)
            self._bitmaps.put(key, known)
        return known, bit
