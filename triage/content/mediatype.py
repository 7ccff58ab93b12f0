"""The media type of a content, told from its first bytes and never from its name.

What a triage meets most is known by signature, which costs a microsecond; libmagic, which costs a hundred and, for
text, a thousand times as much, is asked for the rest where the rest matters.
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
# Told by `quick_type` alone: libmagic says more of these, or says it otherwise.
_OTHERS = (
    (b"PK\x03\x04", "application/zip"),
    (b"7z\xbc\xaf\x27\x1c", "application/x-7z-compressed"),
    (b"Rar!\x1a\x07", "application/x-rar"),
    (b"\x1f\x8b", "application/gzip"),
    (b"\x28\xb5\x2f\xfd", "application/zstd"),
    (b"\xfd7zXZ\0", "application/x-xz"),
    (b"\x7fELF", "application/x-executable"),
    (b"SQLite format 3\0", "application/vnd.sqlite3"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "application/x-ole-storage"),
    (b"\x1a\x45\xdf\xa3", "video/x-matroska"),
    (b"ID3", "audio/mpeg"),
    (b"OggS", "application/ogg"),
    (b"fLaC", "audio/flac"),
    (b"MZ", "application/vnd.microsoft.portable-executable"),
)
_QUICK = _SIGNATURES + _OTHERS
_STARTS = tuple(signature for signature, _ in _QUICK)
_RIFF = {b"AVI ": "video/x-msvideo", b"WAVE": "audio/x-wav"}
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
_NO_TEXT = bytes(set(range(32)) - set(b"\t\n\v\f\r\x1b")) + b"\x7f"
_FIRST = 64
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


def quick_type(head: bytes) -> str | None:
    """Return the media type as far as a look at the first bytes tells it, without libmagic; None where it does not."""
    if not head:
        return EMPTY
    if head.startswith(_STARTS):
        return next(name for signature, name in _QUICK if head.startswith(signature))
    return _structured(head) or _film(head) or _text(head)


def _film(head: bytes) -> str | None:
    if head.startswith(b"RIFF"):
        return _RIFF.get(head[8:12])
    if head[4:8] == b"ftyp":
        return "video/quicktime" if head[8:12] == b"qt  " else "video/mp4"
    return None


def _text(head: bytes) -> str | None:
    """Take for text what is UTF-8, but for a character cut at the end, without control characters that no text has."""
    if len(head[:_FIRST].translate(None, _NO_TEXT)) < len(head[:_FIRST]):
        return None  # as most that is no text, without a copy of all of it
    if len(head.translate(None, _NO_TEXT)) < len(head):
        return None
    try:
        head.decode()
    except UnicodeDecodeError as error:
        if len(head) - error.start > 3:  # noqa: PLR2004 - the bytes of a character but its last
            return None
    return "text/plain"


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
