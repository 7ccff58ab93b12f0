"""A picture as a terminal draws it itself, by Kitty's graphics protocol or as Sixel: what to write for it.

Facts: DEC STD 070 (Sixel: bands of six rows, colour by colour, a character for six pixels of one column), and the
specification of Kitty's graphics protocol.
"""

import base64
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np
from PIL import Image

from triage.session.reveal import Revealed
from triage.ui.graphics import Graphics

_PIECE = 4096  # characters of one message of Kitty's protocol
_BAND = 6  # rows of pixels that one row of Sixel holds
_LEAST = 63  # the character for six pixels of which none is set
_RUN = re.compile(r"(.)\1{3,}")
_numbers = count(0x7A1A00)  # of pictures; Kitty shares them among all that runs in one window


@dataclass(frozen=True, slots=True)
class Drawing:
    """What to write so that a picture appears, and so that it goes; the latter is empty where text covers it."""

    shown: str
    gone: str

    def at(self, column: int, row: int) -> str:
        """Return what draws it with its upper left corner in a cell, counted from 0; the cursor stays."""
        return f"\x1b7\x1b[{row + 1};{column + 1}H{self.shown}\x1b8"


def drawn(graphics: Graphics, picture: Revealed, cells: tuple[int, int], cell: tuple[int, int]) -> Drawing:
    """Return the picture for a box of so many (columns, rows), `cell` being the size of one in pixels.

    No larger than in half blocks: no pixel of it is wider than a cell.
    """
    box = cells[0] * cell[0], cells[1] * cell[1]
    scale = min(box[0] / picture.width, box[1] / picture.height, float(cell[0]))
    size = max(1, int(picture.width * scale)), max(1, int(picture.height * scale))
    mode = "L" if picture.channels == 1 else "RGB"
    image = Image.frombytes(mode, (picture.width, picture.height), picture.pixels).convert("RGB").resize(size)
    if graphics.kitty:
        number = next(_numbers)
        return Drawing("".join(_kitty(image, number)), f"\x1b_Ga=d,d=I,i={number},q=2\x1b\\")
    return Drawing("".join(_sixel(image.quantize(graphics.colours))), "")


def _kitty(image: Image.Image, number: int) -> Iterator[str]:
    """Yield the messages that bring an image and place it at the cursor, without an answer and without moving that."""
    payload = base64.b64encode(image.tobytes()).decode()
    pieces = [payload[start : start + _PIECE] for start in range(0, len(payload), _PIECE)]
    head = f"a=T,f=24,s={image.width},v={image.height},i={number},p=1,C=1,q=2,"
    for index, piece in enumerate(pieces):
        yield f"\x1b_G{head if index == 0 else ''}m={int(index + 1 < len(pieces))};{piece}\x1b\\"


def _sixel(image: Image.Image) -> Iterator[str]:
    """Yield the parts of a Sixel picture: its size, its colours in hundredths, its bands."""
    palette, pixels = image.getpalette() or [], np.asarray(image)
    yield f'\x1bP0;1;0q"1;1;{image.width};{image.height}'
    for colour in np.unique(pixels).tolist():
        parts = (round(part / 2.55) for part in palette[3 * colour : 3 * colour + 3])
        yield f"#{colour};2;{';'.join(map(str, parts))}"
    for top in range(0, image.height, _BAND):
        band = pixels[top : top + _BAND]
        weights = 1 << np.arange(len(band))
        for colour in np.unique(band).tolist():
            row = (weights @ (band == colour) + _LEAST).astype(np.uint8).tobytes().decode("ascii")
            yield f"#{colour}{_RUN.sub(lambda run: f'!{len(run[0])}{run[1]}', row)}$"
        yield "-"
    yield "\x1b\\"
