"""Formats whose first bytes alone say too little: they are taken for one only where more of the head agrees.

Sources: the technical notes that come with ARJ, and the header notes of LHA; the manual pages cpio(5) and tar(5) of
BSD; the .lzma file format note of XZ Utils; ISO 32000-1, annex H (a PDF's header within the first 1,024 bytes).
"""

import lzma
import zlib

from triage.content.members.tar_headers import BLOCK, read_header

_ARJ_SIZES = range(30, 2601)
_LHA_METHODS = frozenset({b"-lh", b"-lz", b"-pm"})
_LHA_LEVELS = frozenset(range(4))
_CPIO_TEXT = {b"070701": (110, 16), b"070702": (110, 16), b"070707": (76, 8)}  # length of the header, base of digits
_CPIO_BINARY = frozenset({b"\xc7\x71", b"\x71\xc7"})
_CPIO = (b"0707", *_CPIO_BINARY)
_LONGEST_NAME = 4096
_LZMA_HEADER = 13
_LZMA_CODES = 9 * 5 * 5
_LZMA_LARGEST = 1 << 38
_LEAST_DICTIONARY, _LARGEST_DICTIONARY = 1 << 12, 3 << 30
_NO_SIZE = (1 << 64) - 1
_TRIED = 1 << 12
_PDF_WITHIN = 1024
_TAR_KINDS = frozenset(b"\x0001234567LKx")
_OCTAL = b" \x0001234567"


def is_arj(head: bytes) -> bool:
    """Tell an ARJ archive by its main header, which has a checksum of its own."""
    if not head.startswith(b"\x60\xea"):
        return False
    size = int.from_bytes(head[2:4], "little")
    if size not in _ARJ_SIZES or len(head) < size + 8:
        return False
    return int.from_bytes(head[4 + size : 8 + size], "little") == zlib.crc32(head[4 : 4 + size])


def is_lha(head: bytes) -> bool:
    """Tell an LHA archive by the name of its method and its header's level."""
    if head[2:5] not in _LHA_METHODS or head[6:7] != b"-":
        return False
    return head[5:6].isalnum() and len(head) > 20 and head[20] in _LHA_LEVELS  # noqa: PLR2004 - where it is


def is_cpio(head: bytes) -> bool:
    """Tell a cpio archive by its first header: all digits, or a name where the binary form must have it."""
    if not head.startswith(_CPIO):
        return False
    if head[:2] in _CPIO_BINARY:
        length = int.from_bytes(head[20:22], "little" if head[:2] == b"\xc7\x71" else "big")
        return 1 < length < _LONGEST_NAME and head[25 + length : 26 + length] == b"\0"
    length, base = _CPIO_TEXT.get(head[:6], (0, 0))
    header = head[:length]
    if not length or len(header) < length:
        return False
    return header.isalnum() and _is_number(header, base)


def is_lzma(head: bytes) -> bool:
    """Tell an .lzma file as XZ Utils do, by properties, dictionary and size, and by whether its beginning decodes."""
    if len(head) <= _LZMA_HEADER or head[_LZMA_HEADER] or head[0] >= _LZMA_CODES:
        return False
    dictionary, size = int.from_bytes(head[1:5], "little"), int.from_bytes(head[5:13], "little")
    if not _LEAST_DICTIONARY <= dictionary <= _LARGEST_DICTIONARY or not _is_round(dictionary):
        return False
    if not size or _LZMA_LARGEST <= size < _NO_SIZE:
        return False
    try:
        return bool(lzma.LZMADecompressor(lzma.FORMAT_ALONE).decompress(head, _TRIED))
    except lzma.LZMAError:
        return False


def is_tar(head: bytes) -> bool:
    """Tell a tar archive of the old form, which has no signature, by its first header's checksum."""
    if len(head) < BLOCK or head[156] not in _TAR_KINDS or head[148:156].strip(_OCTAL) or not head[0]:
        return False
    return any(head[148:156].strip(b" \0")) and read_header(head[:BLOCK]) is not None


def is_pdf(head: bytes) -> bool:
    """Tell a PDF file behind some other bytes."""
    at = head.find(b"%PDF-", 0, _PDF_WITHIN)
    return at >= 0 and head[at + 5 : at + 6].isdigit()


def _is_number(text: bytes, base: int) -> bool:
    try:
        return int(text, base) >= 0
    except ValueError:
        return False


def _is_round(number: int) -> bool:
    """Return whether a number is a power of two or three times one."""
    return number.bit_count() == 1 or (number.bit_count() == 2 and number & number >> 1 != 0)  # noqa: PLR2004
