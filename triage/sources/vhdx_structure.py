"""The structures of a VHDX image. Facts: Microsoft MS-VHDX, Virtual Hard Disk v2 File Format."""

import struct
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from triage.model.errors import EvidenceError
from triage.sources.container_file import PLAUSIBLE_SIZE, ContainerFile

SIGNATURE = b"vhdxfile"
_KIB, _MIB = 1024, 1024 * 1024
_HEADERS, _REGION_TABLES = (64 * _KIB, 128 * _KIB), (192 * _KIB, 256 * _KIB)
_HEADER = struct.Struct("<4sIQ16s16s16s")
_HEADER_LENGTH, _REGION_LENGTH, _METADATA_LENGTH = 4 * _KIB, 64 * _KIB, 64 * _KIB
_COUNT = struct.Struct("<4sII")
_REGION = struct.Struct("<16sQII")
_METADATA_HEAD = struct.Struct("<8sHH20s")
_METADATA = struct.Struct("<16sIII4s")
_LOCATOR_HEAD = struct.Struct("<16sHH")
_LOCATOR = struct.Struct("<IIHH")
_MOST_REGIONS = _MOST_ITEMS = 2047
_LONGEST_ITEM = 1024 * 1024
_NO_LOG = bytes(16)
_BAT = UUID("2dc27766-f623-4200-9d64-115e9bfd4a08").bytes_le
_METADATA_REGION = UUID("8b7ca206-4790-4b9a-b8fe-575f050f886e").bytes_le
_PARAMETERS = UUID("caa16737-fa36-4d43-b3b6-33f0aa44e76b").bytes_le
_DISK_SIZE = UUID("2fa54224-cd1b-4876-b211-5dbed83bf4b8").bytes_le
_SECTOR_SIZE = UUID("8141bf1d-a96f-4709-ba47-f233a8faab5f").bytes_le
_PARENT = UUID("a8d35f2d-b30b-454d-abf7-d3d84834ab0c").bytes_le
_HAS_PARENT = 2
_PARENT_PATHS = ("relative_path", "absolute_win32_path", "volume_path")


@dataclass(frozen=True, slots=True, kw_only=True)
class VhdxHeader:
    """The current header: which content this is, and whether a log has not been written back."""

    data_write_guid: bytes
    dirty: bool
    sound: bool

    @classmethod
    def read(cls, file: ContainerFile) -> Self:
        """Return the newer of the sound headers, else of the others. Raises EvidenceError if there is none."""
        found: list[tuple[bool, int, Self]] = []
        for offset in _HEADERS:
            raw = file.read_up_to(offset, _HEADER_LENGTH)
            if len(raw) < _HEADER_LENGTH or not raw.startswith(b"head"):
                continue
            _, _, sequence, _, data, log = _HEADER.unpack_from(raw)
            sound = _is_sound(raw)
            found.append((sound, sequence, cls(data_write_guid=data, dirty=log != _NO_LOG, sound=sound)))
        if not found:
            raise EvidenceError("both headers are missing")
        return max(found, key=lambda entry: entry[:2])[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Geometry:
    """Where the block allocation table lies and what the disk is; sizes and offsets in bytes.

    `parent` is None for a disk that is no difference, else what the locator says, by key.
    """

    table_offset: int
    table_length: int
    size: int
    block: int
    sector: int
    parent: dict[str, str] | None

    @classmethod
    def read(cls, file: ContainerFile) -> Self:
        """Return the geometry from regions and metadata. Raises EvidenceError if they make no sense."""
        regions = _regions(file)
        if _BAT not in regions or _METADATA_REGION not in regions:
            raise EvidenceError("the region table does not name the tables of the disk")
        items = _Items(file, regions[_METADATA_REGION][0])
        block, flags = struct.unpack("<II", items.get(_PARAMETERS, 8))
        (size,) = struct.unpack("<Q", items.get(_DISK_SIZE, 8))
        (sector,) = struct.unpack("<I", items.get(_SECTOR_SIZE, 4))
        if block not in (_MIB << shift for shift in range(9)) or sector not in (512, 4096):
            raise EvidenceError(f"damaged metadata: blocks of {block} bytes, sectors of {sector}")
        if not 0 < size <= PLAUSIBLE_SIZE:
            raise EvidenceError(f"damaged metadata: virtual size of {size} bytes")
        return cls(
            table_offset=regions[_BAT][0],
            table_length=regions[_BAT][1],
            size=size,
            block=block,
            sector=sector,
            parent=items.locator() if flags & _HAS_PARENT else None,
        )

    @property
    def parent_names(self) -> tuple[str, ...]:
        """Where the parent was, in the order to look for it."""
        parent = self.parent or {}
        return tuple(parent[key] for key in _PARENT_PATHS if parent.get(key))

    def is_parent(self, header: VhdxHeader) -> bool:
        """Tell whether a header is that of the parent this disk was derived from."""
        links = ((self.parent or {}).get(key, "") for key in ("parent_linkage", "parent_linkage2"))
        return str(UUID(bytes_le=header.data_write_guid)) in [link.strip("{}").lower() for link in links]


class _Items:
    """The metadata items of a disk."""

    def __init__(self, file: ContainerFile, offset: int) -> None:
        self._file = file
        self._offset = offset
        raw = file.read_up_to(offset, _METADATA_LENGTH)
        if len(raw) < _METADATA_HEAD.size or not raw.startswith(b"metadata"):
            raise EvidenceError("the metadata table is missing")
        count = min(_METADATA_HEAD.unpack_from(raw)[2], _MOST_ITEMS, len(raw) // _METADATA.size - 1)
        self._places: dict[bytes, tuple[int, int]] = {}
        for index in range(count):
            item, place, length, _, _ = _METADATA.unpack_from(raw, (index + 1) * _METADATA.size)
            self._places[item] = (place, length)

    def get(self, item: bytes, length: int) -> bytes:
        if item not in self._places:
            raise EvidenceError("the metadata of the disk are incomplete")
        return self._file.read_exactly(self._offset + self._places[item][0], length)

    def locator(self) -> dict[str, str]:
        """Return what the parent locator says; what cannot be read is left out."""
        place, length = self._places.get(_PARENT, (0, 0))
        raw = self._file.read_up_to(self._offset + place, min(length, _LONGEST_ITEM)) if length else b""
        if len(raw) < _LOCATOR_HEAD.size:
            return {}
        room = (len(raw) - _LOCATOR_HEAD.size) // _LOCATOR.size
        said: dict[str, str] = {}
        for index in range(min(_LOCATOR_HEAD.unpack_from(raw)[2], room)):
            entry = _LOCATOR.unpack_from(raw, _LOCATOR_HEAD.size + index * _LOCATOR.size)
            key_at, value_at, key_length, value_length = entry
            key = raw[key_at : key_at + key_length].decode("utf-16-le", "replace")
            said[key] = raw[value_at : value_at + value_length].decode("utf-16-le", "replace")
        return said


def _regions(file: ContainerFile) -> dict[bytes, tuple[int, int]]:
    """Return offset and length of each region, from the first sound table, else from one with a wrong checksum."""
    tables = [file.read_up_to(offset, _REGION_LENGTH) for offset in _REGION_TABLES]
    tables = [raw for raw in tables if len(raw) == _REGION_LENGTH and raw.startswith(b"regi")]
    raw = next((raw for raw in tables if _is_sound(raw)), tables[0] if tables else None)
    if raw is None:
        raise EvidenceError("both region tables are missing")
    regions: dict[bytes, tuple[int, int]] = {}
    for index in range(min(_COUNT.unpack_from(raw)[2], _MOST_REGIONS)):
        region, offset, length, _ = _REGION.unpack_from(raw, 16 + index * _REGION.size)
        regions[region] = (offset, length)
    return regions


def _crc32c_table() -> tuple[int, ...]:
    table: list[int] = []
    for value in range(256):
        crc = value
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return tuple(table)


_CRC32C = _crc32c_table()


def _is_sound(raw: bytes) -> bool:
    """Tell whether the CRC-32C at byte 4 is that of the structure with those four bytes zero."""
    crc = 0xFFFF_FFFF
    for byte in raw[:4] + bytes(4) + raw[8:]:
        crc = crc >> 8 ^ _CRC32C[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFF_FFFF == int.from_bytes(raw[4:8], "little")
