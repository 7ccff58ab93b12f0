"""Volumes that are encrypted and say so by a signature.

Facts: libyal's libbde and libfvde format documents (BitLocker, CoreStorage), the LUKS1 and LUKS2 on-disk format
specifications, and the boot code signatures that The Sleuth Kit looks for. What has no signature is the business of
`triage.content.noise`; encrypted APFS volumes are told by the APFS reader.
"""

from dataclasses import dataclass

from triage.sources.source import EvidenceSource
from triage.volumes.bitlocker import CLEAR_KEY, is_bitlocker, protectors
from triage.volumes.luks import LUKS, copies
from triage.volumes.signatures import boot_sector, file_system_at

_SECTOR = 512
_NEXT_STEP = "its password or recovery key is needed, or refer it to the lab"


@dataclass(frozen=True, slots=True)
class Locked:
    """An encrypted volume: `method` in a few words, `text` one line for a person.

    `has_clear_key`: what opens it is stored on it, so that no secret is needed.
    """

    method: str
    text: str
    has_clear_key: bool = False


@dataclass(frozen=True, slots=True)
class _BootCode:
    """A word in the boot code of a product that encrypts whole disks: anywhere from `first` to `last`."""

    word: bytes
    first: int
    last: int
    product: str


_BOOT_CODES = (
    _BootCode(b"\xeb\x48\x90PGPGUARD", 0, 32, "PGP Whole Disk Encryption"),
    _BootCode(b"SafeBoot", 0, 32, "McAfee SafeBoot"),
    _BootCode(b"Safeboot", 0, 32, "McAfee SafeBoot"),
    _BootCode(b"PCGM", 0, 32, "GuardianEdge"),
    _BootCode(b"Protect", 80, 100, "Check Point Full Disk Encryption"),
    _BootCode(b"SGM400", 110, 150, "Sophos SafeGuard"),
    _BootCode(b"SGE400", 110, 150, "Sophos SafeGuard"),
    _BootCode(b"WMSD", 236, 256, "WinMagic SecureDoc"),
)


def detect(volume: EvidenceSource) -> Locked | None:
    """Return how a volume is encrypted, or None where no signature says so.

    To be asked before a file system is opened: BitLocker To Go wears a FAT32 boot sector, LUKS an old swap mark.
    What lies at the start is decisive. A copy further in, or boot code, may be left over from before the volume was
    formatted again: it counts only where no file system begins.
    """
    head = volume.read_at(0, _SECTOR)
    locked = _bitlocker(volume, head) or _luks(head) or _core_storage(head) or _disk_image(head)
    if locked is not None:
        return locked
    tail = volume.read_at(max(0, volume.info.size - _SECTOR), _SECTOR)
    left = _second_luks(volume) or _core_storage(tail) or _old_disk_image(tail) or boot_code(head)
    return left if left is not None and file_system_at(volume, 0) is None else None


def boot_code(sector: bytes) -> Locked | None:
    """Return the product whose boot code a sector holds; the boot sector of a file system never counts."""
    if boot_sector(sector) is not None:
        return None
    for code in _BOOT_CODES:
        if sector.find(code.word, code.first, code.last + len(code.word)) >= 0:
            return _locked(code.product, f"{code.product} boot code: the disk is probably encrypted")
    return None


def _locked(method: str, what: str) -> Locked:
    return Locked(method, f"{what}; {_NEXT_STEP}")


def _bitlocker(volume: EvidenceSource, head: bytes) -> Locked | None:
    method = is_bitlocker(head)
    if method is None:
        return None
    known = protectors(volume, head)
    if CLEAR_KEY in known:
        text = f"{method} volume, suspended: {CLEAR_KEY} opens it without a password"
        return Locked(method, text, has_clear_key=True)
    if known:
        return Locked(method, f"{method} volume, locked with {', '.join(known)}; one is needed, or refer it to the lab")
    return _locked(method, f"{method} volume")


def _luks(head: bytes) -> Locked | None:
    if not head.startswith(LUKS):
        return None
    version = int.from_bytes(head[6:8], "big")
    return _locked(f"LUKS{version}", f"LUKS{version} volume")


def _second_luks(volume: EvidenceSource) -> Locked | None:
    place = next(copies(volume), None)
    if place is None:
        return None
    return _locked("LUKS2", f"LUKS2 volume whose first header is gone (a second one is at {place})")


def _core_storage(header: bytes) -> Locked | None:
    """Tell a CoreStorage physical volume by its header, which lies in its first sector and in its last.

    Whether its logical volumes are encrypted stands in encrypted metadata.
    """
    if header[88:90] != b"CS" or header[8:12] != b"\x01\0\x10\0":
        return None
    return _locked("CoreStorage", "CoreStorage volume group: FileVault 2, or a Fusion drive")


def _disk_image(head: bytes) -> Locked | None:
    """Tell an encrypted disk image of macOS of version 2, which has its header in front."""
    return _encrypted_image() if head.startswith((b"encrcdsa", b"encrdsa")) else None


def _old_disk_image(tail: bytes) -> Locked | None:
    """Tell one of version 1, which has its header behind."""
    return _encrypted_image() if tail.endswith(b"cdsaencr") else None


def _encrypted_image() -> Locked:
    return _locked("FileVault disk image", "encrypted disk image of macOS")
