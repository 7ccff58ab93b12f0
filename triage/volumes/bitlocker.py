"""BitLocker: how to tell it, and with what a volume can be unlocked.

Facts: libyal's "BitLocker Drive Encryption (BDE) format specification". Nothing is decrypted.
"""

import struct
from uuid import UUID

from triage.sources.source import EvidenceSource

CLEAR_KEY = "a clear key stored on it"

_SIGNATURE = b"-FVE-FS-"
_TO_GO_NAME = b"MSWIN4.1"
_IDENTITIES = (
    UUID("4967d63b-2e29-4ad8-8399-f6a339e3d001").bytes_le,
    UUID("92a84d3b-dd80-4d0e-9e4e-b1e3284eaed8").bytes_le,  # used space only
)
_FIXED_PLACE, _TO_GO_PLACE = 160, 424
_IDENTITY_AND_OFFSETS = 16 + 3 * 8
_BLOCK_HEADER, _METADATA_HEADER = 64, 48
_MOST_METADATA = 65536
_VOLUME_MASTER_KEY, _KEY_STRUCTURE = 2, 8
_PROTECTORS = {
    0x0000: CLEAR_KEY,
    0x0100: "TPM",
    0x0200: "startup key file",
    0x0400: "TPM and network",
    0x0500: "TPM and PIN",
    0x0600: "TPM and startup key file",
    0x0700: "TPM, PIN and startup key file",
    0x0800: "recovery password",
    0x1000: "certificate or smart card",
    0x2000: "password",
}


def is_bitlocker(head: bytes) -> str | None:
    """Return "BitLocker" or "BitLocker To Go" where the first 512 bytes of a volume are one's, else None."""
    if head[3:11] == _SIGNATURE:
        return "BitLocker"
    if head[_TO_GO_PLACE : _TO_GO_PLACE + 16] in _IDENTITIES and head[3:11] == _TO_GO_NAME:
        return "BitLocker To Go"
    return None


def protectors(volume: EvidenceSource, head: bytes) -> tuple[str, ...]:
    """Return what unlocks the volume, as its metadata says; empty where that cannot be read (Vista, damage)."""
    for place in (_FIXED_PLACE, _TO_GO_PLACE):
        if head[place : place + 16] in _IDENTITIES and len(head) >= place + _IDENTITY_AND_OFFSETS:
            for offset in struct.unpack_from("<3Q", head, place + 16):
                kinds = _key_kinds(volume, offset)
                if kinds:
                    return tuple(_PROTECTORS.get(kind, f"protector 0x{kind:04x}") for kind in kinds)
    return ()


def _key_kinds(volume: EvidenceSource, offset: int) -> tuple[int, ...]:
    """Return the protection type of every volume master key in one metadata block, each once, in order."""
    block = volume.read_at(offset, _MOST_METADATA)
    start = _BLOCK_HEADER + _METADATA_HEADER
    if block[:8] != _SIGNATURE or len(block) < start:
        return ()
    end = min(len(block), _BLOCK_HEADER + int.from_bytes(block[_BLOCK_HEADER : _BLOCK_HEADER + 4], "little"))
    kinds: list[int] = []
    while start + 36 <= end:
        size, entry, value = struct.unpack_from("<HHH", block, start)
        if size < 8:  # noqa: PLR2004 - smaller than its own header: the entries end here
            break
        if (entry, value) == (_VOLUME_MASTER_KEY, _KEY_STRUCTURE):
            kinds.append(int.from_bytes(block[start + 34 : start + 36], "little"))
        start += size
    return tuple(dict.fromkeys(kinds))
