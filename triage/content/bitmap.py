"""A decoded picture: as Pillow has it, and as an array where it was decoded to one.

The first use of fresh memory can cost more than what is written there, so each thread decodes and turns whole pictures
of common sizes in the same room again and again.
"""

import math
import threading
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Pixels = NDArray[np.uint8]
Shape = tuple[int, int, int]

_ROOM = 64 << 20  # bytes that a thread keeps for each purpose: 16 million pixels
_own = threading.local()

TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How Pillow makes a picture upright, by its EXIF orientation."""


@dataclass(frozen=True, slots=True)
class Bitmap:
    """A picture of mode RGB, or RGBX, which has a filler in every pixel; its pixels are shared where they are known."""

    image: Image.Image
    pixels: Pixels | None = None

    @classmethod
    def of(cls, pixels: Pixels) -> Self:
        """Return the picture over rows x columns x 4; nothing is copied."""
        rows, columns, _ = pixels.shape
        return cls(Image.frombuffer("RGBX", (columns, rows), pixels, "raw", "RGBX", 0, 1), pixels)

    def rows(self, first: int, last: int) -> Pixels:
        """Return rows first to last - 1 as rows x columns x 3 or 4."""
        if self.pixels is not None:
            return self.pixels[first:last]
        return np.asarray(self.image.crop((0, first, self.image.width, last)))

    def upright(self, orientation: int) -> "Bitmap":
        """Return the picture of an EXIF orientation turned upright; an orientation without meaning changes nothing."""
        turn = TURNS.get(orientation)
        if turn is None:
            return self
        return Bitmap(self.image.transpose(turn)) if self.pixels is None else Bitmap.of(_turned(self.pixels, turn))


def room_for(shape: Shape, purpose: str) -> Pixels:
    """Return room for an array: in a thread the same for each purpose, unless very large; what is in it is lost."""
    size = math.prod(shape)
    if size > _ROOM:
        return np.empty(shape, np.uint8)
    room: Pixels | None = getattr(_own, purpose, None)
    if room is None or room.size < size:
        room = np.empty(size, np.uint8)
        setattr(_own, purpose, room)
    return room[:size].reshape(shape)


def _turned(pixels: Pixels, turn: Image.Transpose) -> Pixels:
    """Return rows x columns x 4 turned; valid until the next call in this thread."""
    whole = pixels.view(np.uint32)[:, :, 0]
    view = {
        Image.Transpose.FLIP_LEFT_RIGHT: whole[:, ::-1],
        Image.Transpose.ROTATE_180: whole[::-1, ::-1],
        Image.Transpose.FLIP_TOP_BOTTOM: whole[::-1],
        Image.Transpose.TRANSPOSE: whole.T,
        Image.Transpose.ROTATE_270: whole[::-1].T,
        Image.Transpose.TRANSVERSE: whole[::-1, ::-1].T,
        Image.Transpose.ROTATE_90: whole.T[::-1],
    }[turn]
    room = room_for((*view.shape, 4), "turned")
    room.view(np.uint32)[:, :, 0] = view
    return room
