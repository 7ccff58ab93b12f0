"""pHash, the 64-bit perceptual hash of the imagehash library, which some published sets carry."""

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from triage.content.phash_lanczos import small_picture

SIDE = 8
"""The hash has SIDE x SIDE bits."""


def phashes(picture: Image.Image) -> tuple[str, ...]:
    """Return the hash of a picture and of its turns and mirrors, in the order of PDQ's variants.

    Each has 16 hexadecimal digits: 64 bits, row by row, the most significant first, as imagehash prints them. The first
    is imagehash's own to the bit; the others are taken of the small picture turned, and at most 2 bits from the hash of
    the large one turned.
    """
    from scipy.fftpack import dct  # type: ignore[import-untyped]  # noqa: PLC0415 - heavy, and not all runs see pictures

    small = small_picture(picture.convert("L"))
    # The same function that imagehash calls, for all at once: where a coefficient is nought, its rounding is the bit.
    low = dct(dct(np.stack(turns(small)), axis=1), axis=2)[:, :SIDE, :SIDE].reshape(-1, SIDE * SIDE)
    above = low > np.median(low, axis=1, keepdims=True)
    return tuple(bits.tobytes().hex() for bits in np.packbits(above, axis=1))


def turns(square: NDArray[np.uint8]) -> tuple[NDArray[np.uint8], ...]:
    """Return a picture as it is, turned by 90, 180 and 270 degrees counter-clockwise, mirrored in four ways."""
    quarters = tuple(np.rot90(square, quarter) for quarter in range(4))
    return (*quarters, square[::-1], square[:, ::-1], square.T, quarters[2].T)
