"""JPEG files (ITU-T T.81, JFIF, EXIF): what stands in the head, and their pixels or the means of blocks of pixels.

Pixels come from libjpeg-turbo, as Pillow's do, and are the same in every bit, in half the time. Means come from its
inverse transforms of reduced size: those of 1/8 of the sides are the means of 8 x 8 pixels before they are rounded.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import simplejpeg

from triage.content.bitmap import Pixels, room_for

_MARK = 0xFF
_START, _SCAN, _APP1 = 0xD8, 0xDA, 0xE1
_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_BARE = frozenset({0x01, *range(0xD0, 0xD9)})  # markers without a length
_EXIF = b"Exif\0\0"
_FRAME_BYTES = 8

PROGRESSIVE = 0xC2
_ORDINARY = frozenset({0xC0, 0xC1, PROGRESSIVE})  # Huffman coding; the others are lossless, differential or arithmetic
_BITS = 8
_COLOURS = {1: "GRAY", 3: "RGB"}
_FILLED = 4  # bytes of a pixel


@dataclass(frozen=True, slots=True, kw_only=True)
class JpegHead:
    """What stands before the first scan. `kind`: the frame's marker; `scan`: where the first scan's marker is.

    `exif`: offset and length of the TIFF structure in the first EXIF segment.
    """

    kind: int
    precision: int
    width: int
    height: int
    components: int
    scan: int
    exif: tuple[int, int] | None

    @property
    def ordinary(self) -> bool:
        """Whether the frame is one that every decoder knows, grey or of three colours."""
        return self.kind in _ORDINARY and self.precision == _BITS and self.components in _COLOURS


def jpeg_whole(data: bytes | memoryview, head: JpegHead) -> Pixels:
    """Return rows x columns x 4 (RGB, and a filler as Pillow has it), also of a grey picture.

    The array is valid until the next call in this thread. Raises ValueError as `jpeg_pixels` does.
    """
    if not head.ordinary or not head.width or not head.height:
        raise ValueError("not an ordinary JPEG file")
    shape = head.height, head.width, _FILLED
    room = room_for(shape, "decoded")
    pixels: Pixels = simplejpeg.decode_jpeg(data, "RGBX", buffer=room)
    if pixels.shape != shape:
        raise ValueError(f"decoded to {pixels.shape}, not to {shape}")
    return pixels


def jpeg_pixels(data: bytes | memoryview, head: JpegHead, scale: int = 1) -> Pixels:
    """Return rows x columns x 1 (grey) or 3 (RGB) at 1/`scale` (1, 2, 4 or 8) of the sides, rounded up.

    Raises ValueError for an extraordinary frame and for the slightest fault in the data.
    """
    rows, columns = -(-head.height // scale), -(-head.width // scale)
    if not head.ordinary or not rows or not columns:
        raise ValueError("not an ordinary JPEG file")
    colours = _COLOURS[head.components]
    pixels: Pixels = simplejpeg.decode_jpeg(data, colours, min_height=rows, min_width=columns)
    if pixels.shape[:2] != (rows, columns):
        raise ValueError(f"decoded to {pixels.shape}, not to {rows} x {columns}")
    return pixels


def jpeg_head(data: bytes | memoryview) -> JpegHead | None:
    """Return the head of a JPEG file from its first bytes; None where it is not one, is damaged, or goes on further."""
    frame: bytes | None = None
    exif: tuple[int, int] | None = None
    for marker, offset, length in _segments(data):
        if marker == _SCAN:
            return _head(frame, offset - 4, exif) if frame else None
        if marker in _FRAMES:
            frame = bytes((marker, *data[offset : offset + length]))
        elif marker == _APP1 and exif is None and bytes(data[offset : offset + len(_EXIF)]) == _EXIF:
            exif = offset + len(_EXIF), length - len(_EXIF)
    return None


def _head(frame: bytes, scan: int, exif: tuple[int, int] | None) -> JpegHead | None:
    if len(frame) <= _FRAME_BYTES:
        return None
    return JpegHead(
        kind=frame[0],
        precision=frame[1],
        height=int.from_bytes(frame[2:4], "big"),
        width=int.from_bytes(frame[4:6], "big"),
        components=frame[6],
        scan=scan,
        exif=exif,
    )


def _segments(data: bytes | memoryview) -> Iterator[tuple[int, int, int]]:
    """Yield marker, offset and length of what each segment holds, up to the first scan's or the end of the data."""
    position = 2
    if bytes(data[:2]) != bytes((_MARK, _START)):
        return
    while position + 4 <= len(data) and data[position] == _MARK:
        marker = data[position + 1]
        if marker == _MARK or marker in _BARE:
            position += 1 if marker == _MARK else 2
            continue
        length = int.from_bytes(data[position + 2 : position + 4], "big")
        if length < 2:  # noqa: PLR2004 - the length counts itself
            return
        yield marker, position + 4, length - 2
        if marker == _SCAN:
            return
        position += 2 + length
