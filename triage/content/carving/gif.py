"""GIF files (GIF89a specification): blocks, whose data come in sub-blocks of at most 255 bytes, up to the trailer.

The structure is thin: bytes of another file in the midst of an image go unseen where they happen to end it well.
"""

from triage.content.carving.stretch import BrokenOffError, View

HEAD = rb"GIF8[79]a"

_SCREEN_END = 13
_EXTENSION, _IMAGE, _TRAILER = 0x21, 0x2C, 0x3B
_LABELS = frozenset({0x01, 0xF9, 0xFE, 0xFF})
_CODE_SIZES = range(1, 12)  # 2 to 8 by the letter; decoders take these
_STEP_COST = 64
_PIECE = 4 << 10


def follow(view: View) -> int:
    """Return the length of the file."""
    screen = view.take(6, _SCREEN_END - 6)
    if not any(screen[:2]) or not any(screen[2:4]):
        raise BrokenOffError("a screen without pixels")
    offset, images = _SCREEN_END + _table(screen[4]), 0
    while True:
        kind = view.take(offset, 1)[0]
        if kind == _TRAILER and images:
            return offset + 1
        if kind == _IMAGE:
            offset = _image(view, offset + 1)
            images += 1
        elif kind == _EXTENSION and view.take(offset + 1, 1)[0] in _LABELS:
            offset = _data_end(view, offset + 2)
        else:
            raise BrokenOffError("no block where one is due")
        view.sound = offset


def _image(view: View, offset: int) -> int:
    """Return the end of an image after its separator; the data that came are worth having if it is cut off."""
    descriptor = view.take(offset, 9)
    data = offset + 9 + _table(descriptor[8])
    if not any(descriptor[4:6]) or not any(descriptor[6:8]) or view.take(data, 1)[0] not in _CODE_SIZES:
        raise BrokenOffError("an image that is not sound")
    view.sound = data
    return _data_end(view, data + 1)


def _table(flags: int) -> int:
    """Return the size of the table of colours that the flags announce."""
    return 3 << (flags & 7) + 1 if flags & 0x80 else 0


def _data_end(view: View, offset: int) -> int:
    """Return the end of a chain of sub-blocks."""
    while True:
        piece = view.piece(offset, _PIECE)
        at = steps = 0
        while at < len(piece):
            length = piece[at]
            at += length + 1
            steps += 1
            if not length:
                return offset + at
        offset += at
        view.charge(steps * _STEP_COST)
