"""What a volume is when it is neither a file system that we read nor encrypted: named, with the next step.

To be asked only after no file system could be opened.
"""

from dataclasses import dataclass

from triage.sources.source import EvidenceSource

_SECTOR = 512
_ASSEMBLE = "assemble it on a lab machine and examine the result"
_UNPACK = "unpack it first and examine what it holds"
_LAB = "refer it to the lab"
_NONE = "there are no files to read in it; it can hold traces of memory"
_MD_MAGIC = b"\xfc\x4e\x2b\xa9"


@dataclass(frozen=True, slots=True)
class _Known:
    """Bytes at an offset, what they are a sign of, and what to do."""

    offset: int
    magic: bytes
    name: str
    step: str


_VOLUMES = (
    _Known(0, b"XFSB", "an XFS file system", _LAB),
    _Known(3, b"ReFS\0", "a ReFS file system", _LAB),
    _Known(1024, b"\x10\x20\xf5\xf2", "an F2FS file system", _LAB),
    _Known(1024, b"BD", "a classic HFS file system", _LAB),
    _Known(1024, b"\xe2\xe1\xf5\xe0", "an EROFS file system", _LAB),
    _Known(32, b"NXSB", "an APFS container", _LAB),
    _Known(0x10040, b"_BHRfS_M", "a Btrfs file system", _LAB),
    _Known(0x10034, b"ReIsEr", "a ReiserFS file system", _LAB),
    _Known(0x8000, b"JFS1", "a JFS file system", _LAB),
    _Known(0x8001, b"BEA01", "a UDF file system", _LAB),
    _Known(0x8001, b"CD001", "an ISO 9660 file system", _LAB),
    _Known(4120, bytes.fromhex("c68573f666ce90a9d96a60cf803df7ef"), "a bcachefs file system", _LAB),
    _Known(4120, bytes.fromhex("c68573f64e1a45ca8265f57f48ba6d81"), "a bcache device", _ASSEMBLE),
    _Known(4086, b"SWAPSPACE2", "Linux swap space", _NONE),
    _Known(4086, b"SWAP-SPACE", "Linux swap space", _NONE),
    _Known(0, b"hsqs", "a SquashFS file system", _UNPACK),
    _Known(0, b"sqsh", "a SquashFS file system", _UNPACK),
    _Known(0, b"\x45\x3d\xcd\x28", "a CramFS file system", _UNPACK),
    _Known(0, b"PRIVHEAD", "a Windows dynamic disk (LDM)", _ASSEMBLE),
    _Known(3072, b"PRIVHEAD", "a Windows dynamic disk (LDM)", _ASSEMBLE),
    _Known(0, b"SPACEDB ", "a member of a Windows Storage Spaces pool", _ASSEMBLE),
    _Known(4096, b"SPACEDB ", "a member of a Windows Storage Spaces pool", _ASSEMBLE),
    _Known(0, _MD_MAGIC, "a member of a Linux RAID", _ASSEMBLE),
    _Known(4096, _MD_MAGIC, "a member of a Linux RAID", _ASSEMBLE),
    _Known(508, b"\xda\xbe", "a disk with a Sun label", _LAB),
)

_FILES = (
    _Known(0, b"\x1f\x8b\x08", "a gzip archive", _UNPACK),
    _Known(0, b"PK\x03\x04", "a zip archive", _UNPACK),
    _Known(0, b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive", _UNPACK),
    _Known(0, b"Rar!\x1a\x07", "a RAR archive", _UNPACK),
    _Known(0, b"\xfd7zXZ\0", "an xz archive", _UNPACK),
    _Known(0, b"BZh", "a bzip2 archive", _UNPACK),
    _Known(0, b"\x28\xb5\x2f\xfd", "a Zstandard archive", _UNPACK),
    _Known(0, b"\x04\x22\x4d\x18", "an LZ4 archive", _UNPACK),
    _Known(257, b"ustar", "a tar archive", _UNPACK),
    _Known(0, b"MSCF\0\0\0\0", "a Windows cabinet", _UNPACK),
    _Known(0, b"MSWIM\0\0\0", "a Windows image (WIM)", _UNPACK),
    _Known(0, b"AFF10\r\n\0", "an AFF image", "convert it to raw or E01 first"),
    _Known(
        0, b"LVF\x09\x0d\x0a\xff\0", "an EnCase logical evidence file (L01)", "export its files into a folder first"
    ),
    _Known(0, b"LEF2\r\n\x81\0", "an EnCase logical evidence file (Lx01)", "export its files into a folder first"),
    _Known(0, b"ADSEGMENTEDFILE\0", "an AccessData logical image (AD1)", "export its files into a folder first"),
    _Known(0, b"%PDF-", "a PDF document", "put single files into a folder and examine the folder"),
    _Known(0, b"SQLite format 3\0", "an SQLite database", "put single files into a folder and examine the folder"),
    _Known(0, b"\xff\xd8\xff", "a JPEG picture", "put single files into a folder and examine the folder"),
    _Known(0, b"\x89PNG\r\n\x1a\n", "a PNG picture", "put single files into a folder and examine the folder"),
)


def unsupported_container(volume: EvidenceSource) -> str | None:
    """Return one line that names what a volume is and the next step, or None where nothing is recognised."""
    return _lvm(volume) or _known(volume, _VOLUMES) or _raid_behind(volume) or _zfs(volume) or _known(volume, _FILES)


def _line(name: str, step: str) -> str:
    return f"{name} that cannot be read here; {step}"


def _known(volume: EvidenceSource, table: tuple[_Known, ...]) -> str | None:
    for known in table:
        if volume.read_at(known.offset, len(known.magic)) == known.magic:
            return _line(known.name, known.step)
    return None


def _lvm(volume: EvidenceSource) -> str | None:
    """Tell an LVM2 physical volume: its label is in one of the first four sectors."""
    head = volume.read_at(0, 4 * _SECTOR)
    for start in range(0, len(head), _SECTOR):
        if head[start : start + 8] == b"LABELONE" and head[start + 24 : start + 32] == b"LVM2 001":
            return _line("an LVM2 physical volume", _ASSEMBLE)
    return None


def _raid_behind(volume: EvidenceSource) -> str | None:
    """Tell a member of a Linux RAID by a superblock at its end: versions 0.90 (last 64 KiB) and 1.0 (last 8 KiB)."""
    size = volume.info.size
    places = (size // 65536 * 65536 - 65536, (size // _SECTOR - 16) // 8 * 8 * _SECTOR)
    if any(place > 0 and volume.read_at(place, 4) == _MD_MAGIC for place in places):
        return _line("a member of a Linux RAID", _ASSEMBLE)
    return None


def _zfs(volume: EvidenceSource) -> str | None:
    """Tell a member of a ZFS pool by an uberblock of its first label, which is an array of 128 KiB at 128 KiB."""
    ring = volume.read_at(131072, 131072)
    magics = (b"\x0c\xb1\xba\0\0\0\0\0", b"\0\0\0\0\0\xba\xb1\x0c")
    if any(ring[start : start + 8] in magics for start in range(0, len(ring), 1024)):
        return _line("a member of a ZFS pool", _ASSEMBLE)
    return None
