"""What the first bytes of a volume are: enough to tell that a file system begins here, not to read it.

Offsets are those of the published on-disk formats; the boot sector rules are those of the FAT and NTFS
BIOS parameter block.
"""

from dataclasses import dataclass

from triage.sources.source import EvidenceSource

_HEAD = 4096
_FAT_SECTOR_SIZES = (512, 1024, 2048, 4096)
_FIRST_MEDIA = 0xF0
_MOST_FATS = 4
_BY_OEM_NAME = {
    b"NTFS    ": "NTFS",
    b"EXFAT   ": "exFAT",
    b"-FVE-FS-": "BitLocker",
}


@dataclass(frozen=True, slots=True)
class Signature:
    """Bytes that a format has at an offset of its volume."""

    offset: int
    magic: bytes
    name: str


_SIGNATURES = (
    Signature(0, b"LUKS\xba\xbe", "LUKS"),
    Signature(0, b"XFSB", "XFS"),
    Signature(3, b"ReFS\0\0\0\0", "ReFS"),
    Signature(32, b"NXSB", "APFS"),
    Signature(1080, b"\x53\xef", "ext"),
    Signature(1024, b"H+\0\x04", "HFS+"),
    Signature(1024, b"HX\0\x05", "HFS+"),
    Signature(1024, b"BD", "HFS"),
    Signature(1024, b"\x10\x20\xf5\xf2", "F2FS"),
    Signature(0x8001, b"CD001", "ISO 9660"),
    Signature(0x8001, b"BEA01", "UDF"),
    Signature(0x10040, b"_BHRfS_M", "Btrfs"),
    Signature(0x255C, b"\x54\x19\x01\x00", "UFS1"),
    Signature(0x255C, b"\x00\x01\x19\x54", "UFS1"),
    Signature(0x1055C, b"\x19\x01\x54\x19", "UFS2"),
    Signature(0x1055C, b"\x19\x54\x01\x19", "UFS2"),
)


def boot_sector(sector: bytes) -> str | None:
    """Return what kind of volume boot sector 512 bytes are (FAT, NTFS, exFAT, BitLocker), or None.

    A FAT boot sector and a master boot record end in the same two bytes: only the jump instruction and a
    plausible BIOS parameter block tell them apart.
    """
    named = _BY_OEM_NAME.get(sector[3:11])
    if named is not None:
        return named
    jumps = sector[:1] == b"\xe9" or (sector[:1] == b"\xeb" and sector[2:3] == b"\x90")
    typed = sector[54:57] == b"FAT" or sector[82:85] == b"FAT"
    return "FAT" if (jumps or typed) and _plausible_fat(sector) else None


def file_system_at(source: EvidenceSource, offset: int) -> str | None:
    """Return the name of the format whose signature lies at an offset of the source, or None."""
    head = source.read_at(offset, _HEAD)
    kind = boot_sector(head[:512])
    if kind is not None:
        return kind
    for signature in _SIGNATURES:
        end = signature.offset + len(signature.magic)
        inside = head if end <= _HEAD else source.read_at(offset + signature.offset, len(signature.magic))
        start = signature.offset if end <= _HEAD else 0
        if inside[start : start + len(signature.magic)] == signature.magic:
            return signature.name
    return None


def _plausible_fat(sector: bytes) -> bool:
    """Tell whether the BIOS parameter block describes a FAT volume."""
    if len(sector) < 64:  # noqa: PLR2004 - the block ends there
        return False
    clusters = sector[13]
    sectors = int.from_bytes(sector[19:21], "little") or int.from_bytes(sector[32:36], "little")
    return (
        int.from_bytes(sector[11:13], "little") in _FAT_SECTOR_SIZES
        and clusters.bit_count() == 1
        and int.from_bytes(sector[14:16], "little") > 0
        and 1 <= sector[16] <= _MOST_FATS
        and sector[21] >= _FIRST_MEDIA
        and sectors > 0
    )
