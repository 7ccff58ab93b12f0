"""A small partitioned disk with a FAT12 file system, after Microsoft's "FAT: General Overview of On-Disk Format", 1.03.

Short names only. A file's clusters are given, so that one in pieces can be made; those of a deleted file are free.
"""

import struct
from dataclasses import dataclass

SECTOR = 512
SECTORS = 160
START, VOLUME_SECTORS = 8, 128  # of the one partition; behind it is a gap
ROOT_ENTRIES = 64
_FAT_AT, _FATS = 1, 2
_ROOT_AT = _FAT_AT + _FATS
_DATA_AT = _ROOT_AT + ROOT_ENTRIES * 32 // SECTOR
_FAT12_TYPE = 0x01
_FOLDER, _ARCHIVE, _DELETED = 0x10, 0x20, 0xE5
_DATE, _TIME = (2026 - 1980) << 9 | 3 << 5 | 14, 9 << 11 | 26 << 5 | 26
_LAST = 0xFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A file, or with `inside` a folder; `name` is 8.3 as it is stored, of 11 bytes; a cluster is a sector."""

    name: bytes
    clusters: tuple[int, ...]
    data: bytes = b""
    deleted: bool = False
    inside: tuple["Entry", ...] = ()


def fat12_disk(entries: list[Entry]) -> bytes:
    """Return a disk of 80 KiB with one partition that holds the entries in its root folder."""
    volume = bytearray(VOLUME_SECTORS * SECTOR)
    volume[:62] = (
        b"\xeb\x3c\x90MSDOS5.0"
        + struct.pack("<HBHBHHBHHHII", SECTOR, 1, 1, _FATS, ROOT_ENTRIES, VOLUME_SECTORS, 0xF8, 1, 63, 255, START, 0)
        + struct.pack("<BBBI11s8s", 0x80, 0, 0x29, 0x20260314, b"SYNTHETIC  ", b"FAT12   ")
    )
    volume[510:512] = b"\x55\xaa"
    table = [0xFF8, _LAST, *[0] * (VOLUME_SECTORS - _DATA_AT)]
    root = b"".join(_placed(volume, table, entry) for entry in entries)
    volume[_ROOT_AT * SECTOR : _ROOT_AT * SECTOR + len(root)] = root
    packed = _packed(table)
    for copy in range(_FATS):
        at = (_FAT_AT + copy) * SECTOR
        volume[at : at + len(packed)] = packed
    return _partitioned(bytes(volume))


def _placed(volume: bytearray, table: list[int], entry: Entry) -> bytes:
    """Write the content of an entry and return its row in the folder."""
    content = entry.data
    if entry.inside:
        dots = _row(b".          ", _FOLDER, entry.clusters[0], 0) + _row(b"..         ", _FOLDER, 0, 0)
        content = dots + b"".join(_placed(volume, table, inner) for inner in entry.inside)
    for number, cluster in enumerate(entry.clusters):
        piece = content[number * SECTOR : (number + 1) * SECTOR]
        at = (_DATA_AT + cluster - 2) * SECTOR
        volume[at : at + len(piece)] = piece
        if not entry.deleted:
            table[cluster] = (*entry.clusters, _LAST)[number + 1]
    name = bytes([_DELETED]) + entry.name[1:] if entry.deleted else entry.name
    return _row(name, _FOLDER if entry.inside else _ARCHIVE, entry.clusters[0], len(entry.data))


def _row(name: bytes, attributes: int, start: int, size: int) -> bytes:
    return struct.pack("<11sBBBHHHHHHHI", name, attributes, 0, 0, _TIME, _DATE, _DATE, 0, _TIME, _DATE, start, size)


def _packed(table: list[int]) -> bytes:
    """Return numbers of 12 bits, two in three bytes."""
    pairs = zip(table[::2], [*table[1::2], 0], strict=False)
    return b"".join((low | high << 12).to_bytes(3, "little") for low, high in pairs)


def _partitioned(volume: bytes) -> bytes:
    disk = bytearray(SECTORS * SECTOR)
    chs = b"\xfe\xff\xff"
    disk[446:462] = struct.pack("<B3sB3sII", 0, chs, _FAT12_TYPE, chs, START, VOLUME_SECTORS)
    disk[510:512] = b"\x55\xaa"
    disk[START * SECTOR : START * SECTOR + len(volume)] = volume
    return bytes(disk)
