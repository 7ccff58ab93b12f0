"""BMP files (Windows GDI, Bitmap Storage): a header whose figures must agree, and rows of pixels.

The signature is two letters and nothing in the pixels can be checked. So the header is taken at its word only where the
size of the file is that of header, palette and pixels, but for a few bytes that some programs add.
"""

import struct
from typing import NamedTuple

from triage.content.carving.stretch import BrokenOffError, View

HEAD = rb"BM....\0\0\0\0..\0\0[\x0c\x28\x34\x38\x40\x6c\x7c]\0\0\0"

_FILE_HEADER, _CORE = 14, 12
_PLAIN, _RUNS, _MASKS = 0, {1, 2}, {3, 6}
_DEPTHS = {_PLAIN: {1, 4, 8, 16, 24, 32}, 1: {8}, 2: {4}, 3: {16, 32}, 6: {16, 32}}
_PALETTED = 8  # bits of a pixel, at most
_LONGEST_SIDE = 1 << 16
_SPARE = 1024 + 16  # bytes between header and pixels: a palette that was not needed, and masks
_PADDING = 4  # at the end


class _Header(NamedTuple):
    width: int
    height: int
    planes: int
    depth: int
    compression: int = _PLAIN
    stored: int = 0


def follow(view: View) -> int:
    """Return the length of the file."""
    size: int
    size, _, _, pixels, length = struct.unpack("<IHHII", view.take(2, 16))
    header = _header(view, length)
    fixed = _FILE_HEADER + length
    if header.depth not in _DEPTHS.get(header.compression, ()) or header.planes != 1:
        raise BrokenOffError("a kind of pixels that there is not")
    if not 0 < header.width <= _LONGEST_SIDE or not 0 < abs(header.height) <= _LONGEST_SIDE:
        raise BrokenOffError("sides that no picture has")
    if not fixed <= pixels <= fixed + _SPARE or not 0 <= size - pixels - _data(header) <= _PADDING:
        raise BrokenOffError("the sizes in the header do not agree")
    view.sound = fixed
    view.reach(size)
    return size


def _header(view: View, length: int) -> _Header:
    layout = struct.Struct("<4H" if length == _CORE else "<iiHHII")
    return _Header(*layout.unpack(view.take(_FILE_HEADER + 4, layout.size)))


def _data(header: _Header) -> int:
    """Return the bytes of all pixels: of whole words in each row, or as many as are stored where they are packed."""
    if header.compression in _RUNS:
        return header.stored
    return (header.width * header.depth + 31) // 32 * 4 * abs(header.height)
