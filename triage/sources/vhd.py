"""VHD disk images: fixed, dynamic and differencing; VHDX is passed on.

Our own reader of VHD, because a difference without its parent reads as an ordinary disk in libvhdi, and an image cut
before its footer does not open although a copy of the footer lies at its start.
Facts: Microsoft Virtual Hard Disk Image Format Specification 1.0.
"""

import struct
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from triage.model.errors import EvidenceError
from triage.model.evidence import SourceInfo
from triage.sources.block_source import Below, BlockSource
from triage.sources.container_file import PLAUSIBLE_SIZE, ByteCache, ContainerFile
from triage.sources.difference import Chain, is_stored, open_parent, sectors_alike, with_parent
from triage.sources.flat import FlatBlocks
from triage.sources.source import EvidenceSource
from triage.sources.unreadable import UnreadableSource
from triage.sources.vhdx import open_vhdx

SECTOR = 512
FIXED, DYNAMIC, DIFFERENCING = 2, 3, 4
_COOKIE, _SPARSE_COOKIE = b"conectix", b"cxsparse"
_FOOTER = struct.Struct(">8sIIQI4sI4sQQ4sI4s16s")
_HEADER = struct.Struct(">8sQQIII4s16s")
_HEADER_SIZE, _NAME_AT, _LOCATORS_AT, _LOCATOR_COUNT = 1024, 64, 576, 8
_LOCATOR = struct.Struct(">4sIIIQ")
_LONGEST_NAME = 64 * 1024
_ENTRY = struct.Struct(">I")
_NOT_STORED = 0xFFFF_FFFF
_LARGEST_BLOCK = 256 * 1024 * 1024
_BITMAP_CACHE = 8 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Footer:
    """The footer or its copy; `size` in bytes, `sound` when the checksum is right."""

    kind: int
    size: int
    header_offset: int
    identifier: bytes
    sound: bool

    @classmethod
    def parse(cls, raw: bytes) -> Self | None:
        """Return the footer in a sector, or None if there is none."""
        if len(raw) < SECTOR - 1 or not raw.startswith(_COOKIE):
            return None
        fields = _FOOTER.unpack_from(raw)
        return cls(
            kind=fields[11],
            size=fields[9],
            header_offset=fields[3],
            identifier=fields[13],
            sound=_FOOTER.unpack(raw[: _FOOTER.size])[12] == _checksum(raw, 64),
        )

    @property
    def usable(self) -> bool:
        """Tell whether the fields make sense."""
        return self.kind in (FIXED, DYNAMIC, DIFFERENCING) and 0 < self.size <= PLAUSIBLE_SIZE


@dataclass(frozen=True, slots=True, kw_only=True)
class DynamicHeader:
    """What the reader needs of the header of a dynamic or differencing disk; offsets and sizes in bytes."""

    table_offset: int
    entries: int
    block: int
    parent_identifier: bytes
    parent_names: tuple[str, ...]

    @classmethod
    def read(cls, file: ContainerFile, offset: int) -> Self:
        """Return the header at an offset. Raises EvidenceError if it makes no sense."""
        raw = file.read_exactly(offset, _HEADER_SIZE)
        cookie, _, table_offset, _, entries, block, _, parent = _HEADER.unpack_from(raw)
        if cookie != _SPARSE_COOKIE:
            raise EvidenceError("the header of the dynamic disk is missing")
        if not SECTOR <= block <= _LARGEST_BLOCK or block % SECTOR:
            raise EvidenceError(f"damaged header: blocks of {block} bytes")
        return cls(
            table_offset=table_offset,
            entries=entries,
            block=block,
            parent_identifier=parent,
            parent_names=_parent_names(file, raw),
        )


def _parent_names(file: ContainerFile, header: bytes) -> tuple[str, ...]:
    """Return the parent's name and the paths of the locators, as far as they can be read."""
    names = [header[_NAME_AT:_LOCATORS_AT].decode("utf-16-be", "replace").partition("\0")[0]]
    for index in range(_LOCATOR_COUNT):
        code, _, length, _, offset = _LOCATOR.unpack_from(header, _LOCATORS_AT + index * _LOCATOR.size)
        if code in (b"W2ku", b"W2ru"):
            raw = file.read_up_to(offset, min(length, _LONGEST_NAME))
            names.append(raw.decode("utf-16-le", "replace").partition("\0")[0])
    return tuple(name for name in names if name)


def _checksum(raw: bytes, at: int) -> bytes:
    """Return the ones' complement of the sum of all bytes but the checksum's own four at `at`."""
    return struct.pack(">I", ~(sum(raw) - sum(raw[at : at + 4])) & 0xFFFF_FFFF)


def open_vhd(path: Path) -> EvidenceSource | None:
    """Return the virtual disk of a VHD or VHDX image, or None if the file is none.

    Raises SourceError if the file cannot be opened.
    """
    return open_vhdx(path) or _open(path, (path.resolve(),))


def _open(path: Path, chain: Chain) -> EvidenceSource | None:
    file = ContainerFile(path)
    footer, troubles = _find_footer(file)
    if footer is None:
        file.close()
        return None
    info = SourceInfo(kind="vhd", files=(str(path),), size=footer.size, troubles=troubles)
    try:
        if not footer.usable:
            return _unreadable(file, replace(info, size=file.size), "damaged footer")
        return _fixed(file, info) if footer.kind == FIXED else _dynamic(file, footer, info, chain)
    except EvidenceError as error:
        return _unreadable(file, info, str(error))


def _unreadable(file: ContainerFile, info: SourceInfo, reason: str) -> UnreadableSource:
    file.close()
    reason = f"VHD image: {reason}"
    return UnreadableSource(replace(info, troubles=(*info.troubles, reason)), reason)


def _fixed(file: ContainerFile, info: SourceInfo) -> EvidenceSource:
    if info.size > file.size - SECTOR:
        info = replace(info, troubles=(*info.troubles, f"the file is cut: it ends at {file.size} bytes"))
    return BlockSource(info, FlatBlocks(file))


def _find_footer(file: ContainerFile) -> tuple[Footer | None, tuple[str, ...]]:
    """Return the best of the footer at the end (511 bytes long in old images) and its copy at the start."""
    tail = file.peek(file.size - SECTOR, SECTOR)
    end = Footer.parse(tail) or Footer.parse(tail[1:])
    start = Footer.parse(file.peek(0, SECTOR))
    if start is not None and start.kind == FIXED:
        start = None  # fixed disks have no copy
    usable = [footer for footer in (end, start) if footer is not None and footer.usable]
    best = next((footer for footer in usable if footer.sound), usable[0] if usable else end or start)
    if best is None:
        return None, ()
    if end is None:
        return best, ("the footer at the end is missing: read by its copy at the start",)
    if best is start:
        return best, ("the footer at the end is damaged: read by its copy at the start",)
    return best, () if best.sound else ("the checksum of the footer is wrong",)


def _dynamic(file: ContainerFile, footer: Footer, info: SourceInfo, chain: Chain) -> EvidenceSource:
    header = DynamicHeader.read(file, footer.header_offset)
    if header.entries * header.block < footer.size:
        short = "the block allocation table is too short for the disk"
        info = replace(info, troubles=(*info.troubles, short))
    below = _parent(file.path, header, chain) if footer.kind == DIFFERENCING else Below()
    blocks = VhdBlocks(file, header, by_sector=footer.kind == DIFFERENCING)
    return BlockSource(with_parent(info, below), blocks, below)


def _parent(path: Path, header: DynamicHeader, chain: Chain) -> Below:
    def is_parent(found: Path) -> bool:
        return _identifier(found) == header.parent_identifier

    return open_parent(path, header.parent_names, chain, is_parent=is_parent, opener=_open)


def _identifier(path: Path) -> bytes | None:
    file = ContainerFile(path)
    try:
        footer, _ = _find_footer(file)
        return footer.identifier if footer is not None else None
    finally:
        file.close()


class VhdBlocks:
    """Blocks by the block allocation table, read as it is needed.

    `by_sector`: each block's bitmap says which of its sectors are stored. A dynamic disk that is no difference stores
    whole blocks, whatever its bitmaps say.
    """

    def __init__(self, file: ContainerFile, header: DynamicHeader, *, by_sector: bool) -> None:
        self._file = file
        self._header = header
        self._by_sector = by_sector
        self._bitmap_size = -(-header.block // SECTOR // 8 // SECTOR) * SECTOR
        self._bitmaps = ByteCache(_BITMAP_CACHE)

    def span(self, offset: int) -> int:
        """Return the bytes to the end of the block, in a difference to the end of the sectors of one kind."""
        index, start = divmod(offset, self._header.block)
        rest = self._header.block - start
        if not self._by_sector:
            return rest
        try:
            bitmap = self._bitmap(index)
        except EvidenceError:
            return rest  # reading says why
        if not bitmap:
            return rest
        return min(sectors_alike(bitmap, start // SECTOR, high_bit_first=True) * SECTOR - offset % SECTOR, rest)

    def read(self, offset: int, length: int) -> bytes | None:
        """Return bytes of one span; None where the parent shows through. Raises EvidenceError."""
        index, start = divmod(offset, self._header.block)
        position = self._position(index)
        if position is None:
            return None
        if self._by_sector and not is_stored(self._bitmap(index), start // SECTOR, high_bit_first=True):
            return None
        return self._file.read_some(position + self._bitmap_size + start, length)

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _position(self, index: int) -> int | None:
        """Return where the block's bitmap starts, or None for a block that is not stored."""
        if index >= self._header.entries:
            raise EvidenceError("the block allocation table is too short for the disk")
        raw = self._file.read_exactly(self._header.table_offset + index * _ENTRY.size, _ENTRY.size)
        sector = int(_ENTRY.unpack(raw)[0])
        return None if sector == _NOT_STORED else sector * SECTOR

    def _bitmap(self, index: int) -> bytes:
        """Return the bitmap of a block, empty for one that is not stored."""
        known = self._bitmaps.get(index)
        if known is None:
            position = self._position(index)
            known = b"" if position is None else self._file.read_exactly(position, self._bitmap_size)
            self._bitmaps.put(index, known)
        return known
