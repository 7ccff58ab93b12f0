"""PNG files (W3C PNG specification, 5): chunks, each with a checksum, from IHDR to IEND.

A file that is whole has every byte proven. Of image data whose checksum is wrong the break is not known: it counts as
far as its chunk goes.
"""

import zlib

from triage.content.carving.stretch import PIECE, BrokenOffError, View

HEAD = rb"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"

_START = 8
_AROUND = 12  # the bytes of a chunk that are not its data: length, type, checksum
_LONGEST = 2**31 - 1
_DEPTHS = {0: {1, 2, 4, 8, 16}, 2: {8, 16}, 3: {1, 2, 4, 8}, 4: {8, 16}, 6: {8, 16}}  # bits, by the type of colour


def follow(view: View) -> int:
    """Return the length of the file."""
    _check_header(view.take(_START + 8, 13))
    offset, pixels = _START, False
    while True:
        head = view.take(offset, 8)
        length, kind = int.from_bytes(head[:4], "big"), head[4:]
        if length > _LONGEST or not kind.isalpha() or not kind[2:3].isupper():
            raise BrokenOffError("no chunk where one is due")
        end = offset + _AROUND + length
        view.reach(end)
        if _checksum(view, offset + 4, end - 4) != int.from_bytes(view.take(end - 4, 4), "big"):
            view.sound = end if view.sound and kind == b"IDAT" else view.sound
            raise BrokenOffError("the checksum of a chunk is wrong")
        offset = view.sound = end
        pixels = pixels or kind == b"IDAT"
        if kind == b"IEND":
            break
    if length or not pixels:
        raise BrokenOffError("the end comes before the image data")
    return offset


def _check_header(header: bytes) -> None:
    width, height = int.from_bytes(header[:4], "big"), int.from_bytes(header[4:8], "big")
    sound = 0 < width <= _LONGEST and 0 < height <= _LONGEST and header[8] in _DEPTHS.get(header[9], ())
    if not sound or header[10:12] != b"\0\0" or header[12] > 1:
        raise BrokenOffError("the header is not sound")


def _checksum(view: View, start: int, end: int) -> int:
    checksum = 0
    for offset in range(start, end, PIECE):
        checksum = zlib.crc32(view.take(offset, min(PIECE, end - offset)), checksum)
    return checksum
