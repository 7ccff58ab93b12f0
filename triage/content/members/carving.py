"""Pictures found inside other bytes by their signature, and by Office's own record of a picture where there is one.

A picture of Office stands behind a record's header, an identifier or two of 16 bytes, and one byte: then its length is
known. A JPEG or PNG without that is followed from marker to marker, or from chunk to chunk, to its end.

Sources: [MS-ODRAW] 2.2.23 (OfficeArtBlip); ITU-T T.81 annex B; PNG (ISO/IEC 15948) 5.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

_SIGNATURE = re.compile(rb"\xff\xd8\xff|\x89PNG\r\n\x1a\n|II\*\0|MM\0\*")
_BLIPS = frozenset({0xF01D, 0xF01E, 0xF029, 0xF02A})
_BEFORE = (25, 41)
_END, _SCAN = 0xD9, 0xDA
_BARE = frozenset({0x01, *range(0xD0, 0xD9)})
_MARKER = re.compile(rb"\xff[^\0\xff\xd0-\xd7]")


class Carved(NamedTuple):
    """A picture: where it begins, how long it is, its file name's ending, and whether its end was found."""

    offset: int
    length: int
    ending: str
    whole: bool


def carved(data: bytes) -> Iterator[Carved]:
    """Yield the pictures in some bytes, none inside another one."""
    position = 0
    while found := _SIGNATURE.search(data, position):
        start = found.start()
        picture = _picture(data, start, found[0])
        if picture is not None:
            yield picture
        position = start + (picture.length if picture else len(found[0]))


def _picture(data: bytes, start: int, signature: bytes) -> Carved | None:
    ending = {0xFF: "jpg", 0x89: "png"}.get(signature[0], "tif")
    length = _blip_length(data, start)
    if length is not None:
        return Carved(start, min(length, len(data) - start), ending, whole=length <= len(data) - start)
    if ending == "tif":
        return None  # nothing says where it ends
    end = _jpeg_end(data, start) if ending == "jpg" else _png_end(data, start)
    if end is None:
        return None
    return Carved(start, min(end, len(data)) - start, ending, whole=end <= len(data))


def _blip_length(data: bytes, start: int) -> int | None:
    """Return a picture's length as the record around it says, None where there is no such record."""
    for before in _BEFORE:
        at = start - before
        if at >= 0 and int.from_bytes(data[at + 2 : at + 4], "little") in _BLIPS:
            length = int.from_bytes(data[at + 4 : at + 8], "little") - (before - 8)
            if length > 0:
                return length
    return None


def _jpeg_end(data: bytes, start: int) -> int | None:
    """Return where a JPEG ends, past the data where it is cut off; None for what is no JPEG."""
    position, frames = start + 2, 0
    while position + 4 <= len(data) and data[position] == 0xFF:  # noqa: PLR2004 - every marker begins so
        marker = data[position + 1]
        if marker == _END:
            return position + 2 if frames else None
        if marker in _BARE or marker == 0xFF:  # noqa: PLR2004 - filling
            position += 1 if marker == 0xFF else 2  # noqa: PLR2004
            continue
        frames += 0xC0 <= marker <= 0xCF  # noqa: PLR2004 - frames and tables of Huffman codes
        position += 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        if marker == _SCAN:
            following = _MARKER.search(data, position)
            if following is None:
                return len(data) + 1
            position = following.start()
    if data[position : position + 2] == b"\xff\xd9":
        return position + 2 if frames else None
    return len(data) + 1 if position >= len(data) and frames else None


def _png_end(data: bytes, start: int) -> int | None:
    """Return where a PNG ends, past the data where it is cut off; None for what is no PNG."""
    position = start + 8
    while position + 8 <= len(data):
        length, kind = int.from_bytes(data[position : position + 4], "big"), data[position + 4 : position + 8]
        if not kind.isalpha():
            return None
        position += 12 + length
        if kind == b"IEND":
            return position
    return len(data) + 1
