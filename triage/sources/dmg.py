"""Apple disk images (DMG): UDIF with its compressed kinds, and the encrypted ones.

A `.dmg` without trailer or signature is a raw image. Facts on the encrypted kinds: the headers `encrcdsa` (version 2)
and `cdsaencr` (version 1) as documented for libmodi.
"""

import struct
from pathlib import Path

from triage.model.errors import EvidenceError
from triage.model.evidence import SourceInfo
from triage.sources.block_source import BlockSource
from triage.sources.container_file import PLAUSIBLE_SIZE, ContainerFile
from triage.sources.source import EvidenceSource
from triage.sources.udif import TRAILER_SIZE, Chunks, Trailer, UdifBlocks
from triage.sources.unreadable import UnreadableSource

_ENCRYPTED_2, _ENCRYPTED_1, _SPARSE = b"encrcdsa", b"cdsaencr", b"sprs\x00\x00\x00\x03"
_DATA_SIZE_AT = 56


def open_dmg(path: Path) -> EvidenceSource | None:
    """Return the disk in an Apple disk image, or None if the file is none.

    Raises SourceError if the file cannot be opened.
    """
    file = ContainerFile(path)
    head, tail = file.peek(0, TRAILER_SIZE), file.peek(file.size - TRAILER_SIZE, TRAILER_SIZE)
    trailer = Trailer.parse(tail)
    if trailer is not None:  # first, since the bytes at the start of a UDIF image are the disk's own
        return _udif(file, trailer)
    file.close()
    if method := _encryption(head, tail):
        return _unreadable(file, _encrypted_size(head, file.size), f"the image is encrypted ({method})", method)
    if head.startswith(_SPARSE):
        return _unreadable(file, file.size, "sparse disk images are not supported; convert it to a raw image")
    return None


def _encryption(head: bytes, tail: bytes) -> str | None:
    """Return the name of the method if the image is encrypted: the second version starts, the first ends with it."""
    if head.startswith(_ENCRYPTED_2):
        return "FileVault encrypted disk image (encrcdsa)"
    return "FileVault encrypted disk image (cdsaencr)" if tail.endswith(_ENCRYPTED_1) else None


def _encrypted_size(head: bytes, file_size: int) -> int:
    """Return the size of what is encrypted where the header tells it plausibly, else the file's."""
    if not head.startswith(_ENCRYPTED_2) or len(head) < TRAILER_SIZE:
        return file_size
    size = int(struct.unpack_from(">Q", head, _DATA_SIZE_AT)[0])
    return size if 0 < size <= file_size else file_size


def _udif(file: ContainerFile, trailer: Trailer) -> EvidenceSource:
    if not 0 < trailer.size <= PLAUSIBLE_SIZE:
        file.close()
        return _unreadable(file, file.size, f"UDIF image: damaged trailer: virtual size of {trailer.size} bytes")
    try:
        chunks = Chunks.read(file, trailer)
    except EvidenceError as error:
        file.close()
        return _unreadable(file, trailer.size, f"UDIF image: {error}")
    troubles: tuple[str, ...] = ()
    if trailer.segments > 1:
        troubles = (f"the image is one of {trailer.segments} segments: what lies in the others is not read",)
    if chunks.ends and max(chunks.ends) > trailer.size:
        troubles = (*troubles, "the block tables go beyond the end of the disk")
    info = SourceInfo(kind="dmg", files=(str(file.path),), size=trailer.size, troubles=troubles)
    return BlockSource(info, UdifBlocks(file, chunks))


def _unreadable(file: ContainerFile, size: int, reason: str, encrypted: str | None = None) -> UnreadableSource:
    info = SourceInfo(kind="dmg", files=(str(file.path),), size=size, troubles=(reason,), encrypted=encrypted)
    return UnreadableSource(info, reason)
