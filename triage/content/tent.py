"""The filter of PDQ along one side of a picture: two passes of a box, together a tent, and decimation to 64 cells."""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

SIDE = 64
"""The filtered picture is SIDE x SIDE."""

_PER_PASS = 2 * SIDE  # two passes share the SIDE-th part of the picture that becomes one cell
_LONGEST_KEPT = 1 << 16  # weights take 8 bytes a pixel of the side, pairs 16: a hostile side is not kept

Float = NDArray[np.float32]
Band = tuple[int, Float]
"""The first pixel that a sample of a filtered side sees, and the weights of that and those after it."""

Bands = tuple[Band, ...]
"""For each sample of a filtered side its band."""

Pairs = tuple[tuple[int, Float], ...]
"""For each cell the first pixel that it or its mirror image sees, and the weights of both: 2 x pixels.

The first row gives the cells of the picture as it is, the second those of the mirrored picture, the last one first.
"""


def bands_along(length: int) -> Bands:
    """Return the 64 bands of a side of `length` pixels."""
    return _kept_bands(length) if length <= _LONGEST_KEPT else _new_bands(length)


def mirrored_bands(bands: Bands, length: int) -> Bands:
    """Return the bands that give the cells of the mirrored picture from the picture as it is."""
    return tuple((length - first - len(weights), weights[::-1]) for first, weights in bands)


def paired_bands(length: int) -> Pairs:
    """Return the 64 bands of a side, each with the one that sees the same place of the mirrored picture."""
    return _kept_pairs(length) if length <= _LONGEST_KEPT else _new_pairs(length)


def _new_pairs(length: int) -> Pairs:
    bands = bands_along(length)
    return tuple(_pair(*both) for both in zip(bands, reversed(mirrored_bands(bands, length)), strict=True))


def _pair(band: Band, mirrored: Band) -> tuple[int, Float]:
    start = min(band[0], mirrored[0])
    weights = np.zeros((2, max(first + len(some) for first, some in (band, mirrored)) - start), np.float32)
    for row, (first, some) in zip(weights, (band, mirrored), strict=True):
        row[first - start : first - start + len(some)] = some
    return start, weights


_kept_pairs = lru_cache(maxsize=64)(_new_pairs)


def _new_bands(length: int) -> Bands:
    window = -(-length // _PER_PASS)
    behind, ahead = _reach(window)
    centres = [int((cell + 0.5) * length / SIDE) for cell in range(SIDE)]
    away = [centre for centre in centres if 2 * behind <= centre <= length - 2 * ahead]  # from the edges: all alike
    if not away:
        return tuple(_band(centre, length, window) for centre in centres)
    first, weights = _band(away[0], length, window)
    alike = {centre: (first + centre - away[0], weights) for centre in away}
    return tuple(alike.get(centre) or _band(centre, length, window) for centre in centres)


_kept_bands = lru_cache(maxsize=256)(_new_bands)


def _band(centre: int, length: int, window: int) -> Band:
    """Return the weights of two box passes as seen from one pixel; at an edge a box is the mean of what there is."""
    behind, ahead = _reach(window)
    first, last = max(0, centre - behind), min(length, centre + ahead)
    pixels = np.arange(first, last)
    left = np.maximum(0, pixels - behind)
    right = np.minimum(length, pixels + ahead)
    start, end = int(left[0]), int(right[-1])
    share = 1 / ((right - left) * (last - first))
    steps = np.zeros(end - start + 1)
    np.add.at(steps, left - start, share)
    np.subtract.at(steps, right - start, share)
    return start, np.cumsum(steps)[:-1].astype(np.float32)


def _reach(window: int) -> tuple[int, int]:
    """Return how far a box reaches from its centre: back, and (exclusively) ahead; an even one leans ahead."""
    ahead = (window + 2) // 2
    return window - ahead, ahead
