"""Hashes by which cropped copies of a known picture are found: a ladder of crops, hashed when a set is built.

A PDQ hash finds a picture that lacks about 2 % of one side, or 3 % of its width and height around the middle; beyond
that the copy is as far as any other picture. So the known picture is cropped in steps: off each side, off all four, off
two that face each other, and to the shapes that programs crop to. The forty were chosen on photographs, by the share of
copies that each finds (`benchmarks/robustness.py`). Crops off a corner, or off several sides unequally, would need
hundreds: they are found only where little is missing.
"""

from collections.abc import Iterator

import numpy as np
from PIL import Image

from triage.content.borders import Box, inner_box
from triage.content.pdq import MIN_QUALITY, pdq
from triage.content.tent import SIDE

_ENOUGH = 512  # pixels of the shorter side: reduced so far, a hash is 3 bits off on average

_ONE_SIDE = (0.03, 0.06, 0.10, 0.15, 0.20, 0.25, 0.30)
_AROUND = (0.05, 0.10, 0.15, 0.20, 0.25, 0.30)
_FACING = (0.08, 0.16)
_SHAPES = (1 / 1, 16 / 9)


def crop_hashes(picture: Image.Image) -> tuple[bytes, ...]:
    """Return the comparable PDQ hashes of an RGB picture inside its borders, if any, and of its crops, each once.

    At most 41, of 32 bytes.
    """
    small = reduced(picture, (0, 0, *picture.size))
    inside = inner_box(small)
    boxes = [*([inside] if inside else []), *_ladder(*small.size)]
    hashes = (_hash(small, box) for box in boxes)
    return tuple(dict.fromkeys(value for value in hashes if value is not None))


def reduced(picture: Image.Image, box: Box) -> Image.Image:
    """Return a part of the picture, the means of whole blocks of pixels where it is much larger than a hash needs."""
    factor = max(1, min(box[2] - box[0], box[3] - box[1]) // _ENOUGH)
    return picture.reduce(factor, box)


def _ladder(width: int, height: int) -> Iterator[Box]:
    for share in _ONE_SIDE:
        across, down = round(share * width), round(share * height)
        yield across, 0, width, height
        yield 0, down, width, height
        yield 0, 0, width - across, height
        yield 0, 0, width, height - down
    around = [(share, share) for share in _AROUND]
    facing = [(share, 0.0) for share in _FACING] + [(0.0, share) for share in _FACING]
    for across_share, down_share in (*around, *facing, *(_to_shape(width, height, shape) for shape in _SHAPES)):
        across, down = round(across_share * width / 2), round(down_share * height / 2)
        yield across, down, width - across, height - down


def _to_shape(width: int, height: int, shape: float) -> tuple[float, float]:
    """Return the shares of width and height to take off so that the longer side is `shape` times the shorter."""
    wanted = shape if width >= height else 1 / shape
    kept = wanted * height / width
    return max(0.0, 1 - kept), max(0.0, 1 - 1 / kept)


def _hash(picture: Image.Image, box: Box) -> bytes | None:
    if min(box[2] - box[0], box[3] - box[1]) < SIDE:
        return None
    result = pdq(np.asarray(picture.crop(box)))
    return result.hash if result.quality >= MIN_QUALITY else None
