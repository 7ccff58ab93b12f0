"""The media type of a content, told from its first bytes and never from its name.

What a triage meets most (pictures) is known by signature, which costs a microsecond; libmagic, which costs a hundred
times as much, is asked for the rest.
"""

from functools import lru_cache
from pathlib import Path

import pylibmagic  # isort: skip  # first: it shows python-magic the libmagic that it carries

import magic

HEAD = 4096
"""As many first bytes as are worth giving: enough for every signature and for libmagic to tell text from data."""

EMPTY = "inode/x-empty"
UNKNOWN = "application/octet-stream"

_SIGNATURES = (
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
)
_TIFF = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_RAW_MARK = slice(8, 10)  # where Canon's raw files, which are TIFF otherwise, say "CR"
_BMP_HEADERS = frozenset({12, 40, 52, 56, 64, 108, 124})
_BRANDS = {
    b"avif": "image/avif",
    b"avis": "image/avif",
    b"heic": "image/heic",
    b"heix": "image/heic",
    b"heim": "image/heic",
    b"heis": "image/heic",
    b"hevc": "image/heic",
    b"hevx": "image/heic",
}
_STRUCTURAL_BRANDS = frozenset({b"mif1", b"msf1", b"mif2", b"mif3"})


def media_type(head: bytes) -> str:
    """Return the media type of a content from its first bytes (`HEAD` of them); it never raises.

    No bytes give `inode/x-empty`, as libmagic says; what nobody knows is `application/octet-stream`.
    """
    if not head:
        return EMPTY
    for signature, name in _SIGNATURES:
        if head.startswith(signature):
            return name
    return _structured(head) or _asked(head)


def _structured(head: bytes) -> str | None:
    """Return the type of a picture whose signature is more than its first bytes."""
    if head.startswith(_TIFF) and head[_RAW_MARK] != b"CR":
        return "image/tiff"
    if head.startswith(b"RIFF") and head[8:12] == b"WEBP":
        return "image/webp"
    if head.startswith(b"BM") and int.from_bytes(head[14:18], "little") in _BMP_HEADERS:
        return "image/bmp"
    return _heif(head) if head[4:8] == b"ftyp" else None


def _heif(head: bytes) -> str | None:
    """Return the type of a picture in an ISO base media file (ISO/IEC 23008-12) from its brands."""
    major = head[8:12]
    if major in _BRANDS:
        return _BRANDS[major]
    if major not in _STRUCTURAL_BRANDS:
        return None
    end = min(int.from_bytes(head[:4], "big"), len(head))
    compatible = (head[at : at + 4] for at in range(16, end - 3, 4))
    return next((_BRANDS[brand] for brand in compatible if brand in _BRANDS), "image/heif")


def _asked(head: bytes) -> str:
    """Return what libmagic says."""
    try:
        return str(_cookie().from_buffer(head)) or UNKNOWN
    except magic.MagicException:  # libmagic gives up on some hostile input; that is not knowing the type
        return UNKNOWN


@lru_cache(maxsize=1)
def _cookie() -> magic.Magic:
    """Return this process's libmagic handle, on the database that came with the library; it locks itself."""
    return magic.Magic(mime=True, magic_file=str(Path(pylibmagic.__file__).with_name("magic.mgc")))
