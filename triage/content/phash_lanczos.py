"""The small picture of pHash: Pillow's Lanczos filter in every bit, as products of matrices.

Pillow filters 8-bit levels with weights that are whole numbers (2 to the 22nd is one), rounds each row's result to a
level, and does the same down the columns. Sums of whole numbers are exact in double precision in whatever order they
are taken, so BLAS gives the same levels several times faster. Very tall pictures, of which Pillow filters the columns
first, are left to it, and so are small ones.

Every product stays below the size from which OpenBLAS starts threads, which would cost more than it takes.
"""

from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

SMALL = 32
"""What the hash is taken of is SMALL x SMALL grey levels."""

LOBES = 3
"""The filter reaches over so many samples on either side."""

SINGLE_THREADED = 1 << 18
"""Products of m x k and k x n matrices with m k n up to this are taken by OpenBLAS in the calling thread."""

_ONE_BITS = 22  # of a weight after the point
_WORTH = 1 << 18  # pixels: the weights of a new width are made in the time in which Pillow filters so many
_WIDEST = 1 << 14  # weights take 80 bytes a column
_BLOCKS = 8

_Weights = NDArray[np.float64]


class _Block(NamedTuple):
    """Some columns of the picture, which of the samples see them, and with which weights (columns x samples)."""

    start: int
    end: int
    samples: slice
    weights: _Weights


def small_picture(grey: Image.Image) -> NDArray[np.uint8]:
    """Return a grey picture (mode L) as Pillow's Lanczos filter makes it 32 x 32."""
    if _is_worth_it(*grey.size):
        grey = Image.fromarray(_narrowed(np.asarray(grey)))
    return np.asarray(grey.resize((SMALL, SMALL), Image.Resampling.LANCZOS))


def lanczos_band(centre: float, step: float, length: int) -> tuple[int, NDArray[np.float64]]:
    """Return the first pixel that a sample sees, and the weights of that and those after it, as Pillow has them.

    `step`: the pixels of a sample, at least one; `length`: those of the side.
    """
    first, last = max(0, int(centre - LOBES * step + 0.5)), min(length, int(centre + LOBES * step + 0.5))
    away = (np.arange(first, last) - centre + 0.5) * (1 / step)
    weights = np.where(np.abs(away) < LOBES, np.sinc(away) * np.sinc(away / LOBES), 0)
    return first, weights / np.cumsum(weights)[-1]


def _is_worth_it(width: int, height: int) -> bool:
    tall = height > 2 * (width - SMALL)
    return not tall and width * height >= _WORTH and SMALL * _BLOCKS <= width <= _WIDEST


def _narrowed(levels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return rows x 32 from rows x columns."""
    blocks = _blocks(levels.shape[1])
    most = max(block.weights.size for block in blocks)
    rows = max(1, SINGLE_THREADED // most)
    sums = np.full((len(levels), SMALL), 1 << (_ONE_BITS - 1), np.float64)
    room = np.empty((rows, max(block.end - block.start for block in blocks)))
    for row in range(0, len(levels), rows):
        some, into = levels[row : row + rows], sums[row : row + rows]
        for start, end, samples, weights in blocks:
            part = room[: len(some), : end - start]
            part[:] = some[:, start:end]
            into[:, samples] += part @ weights
    narrowed: NDArray[np.uint8] = np.clip(sums.astype(np.int64) >> _ONE_BITS, 0, 255).astype(np.uint8)
    return narrowed


@lru_cache(maxsize=16)
def _blocks(width: int) -> tuple[_Block, ...]:
    """Return the weights of a width, apart for each eighth of it: all samples but some ten are zero there."""
    step = width / SMALL
    weights = np.zeros((width, SMALL))
    for sample in range(SMALL):
        first, band = lanczos_band((sample + 0.5) * step, step, width)
        weights[first : first + len(band), sample] = np.trunc(band * (1 << _ONE_BITS) + np.copysign(0.5, band))
    bounds = [width * number // _BLOCKS for number in range(_BLOCKS + 1)]
    return tuple(_block(weights, start, end) for start, end in pairwise(bounds))


def _block(weights: _Weights, start: int, end: int) -> _Block:
    seen = np.flatnonzero(weights[start:end].any(axis=0))
    samples = slice(int(seen[0]), int(seen[-1]) + 1)
    return _Block(start, end, samples, np.ascontiguousarray(weights[start:end, samples]))
