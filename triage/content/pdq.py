"""PDQ, the 256-bit perceptual hash of a picture, as two banded matrix products and one small cosine transform.

The algorithm is the one of "The TMK+PDQF Video-Hashing Algorithm and the PDQ Image-Hashing Algorithm" (Facebook, 2019):
luma; two passes of a box filter (together a tent, the Jarosz filter) along rows and columns, with a window of 1/128 of
the side; decimation to 64x64; the 16x16 corner of a DCT-II without its constant row and column; one bit for each
coefficient above their median. The quality is the sum of the significant steps between neighbours of the 64x64.

Filter, decimation and luma are linear, so they are carried out as one banded matrix for each side of the picture, on
the interleaved RGB rows, and luma is taken of 64 rows instead of all: the picture is never held as floats.

The reference derives the hashes of the turned and mirrored picture from the signs of one transform. That is off by up
to 52 bits for a side under 512 pixels, because an even window and the decimation lean to one side: more than the 31
that count as a match. Here the filter itself is mirrored, which gives the bits that the turned picture would have.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

BITS = 256
MIN_QUALITY = 50
"""Below this quality the authors advise not to compare a hash."""

SIDE = 64
"""The filtered picture is SIDE x SIDE."""

_CORNER = 16
_PER_PASS = 2 * SIDE  # two passes share the SIDE-th part of the picture that becomes one cell
_MEDIAN = BITS // 2 - 1  # the reference takes the lower of the two middle coefficients
_LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
_STEP_SCALE = np.float32(100)
_FULL_SCALE = np.float32(255)
_QUALITY_DIVISOR = 90

_LONGEST_KEPT = 1 << 16  # weights take 8 bytes a pixel of the side: a hostile side is not kept

Float = NDArray[np.float32]
Pixels = NDArray[np.uint8]
Bands = tuple[tuple[int, Float], ...]
ReadRows = Callable[[int, int], Pixels]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pdq:
    """A PDQ hash: 32 bytes, most significant first as in the published hexadecimal form; quality 0 to 100.

    `span` is the difference between the lightest and the darkest of the 64x64, in grey levels (0 to 255).

    `variants` are the hashes of the picture as it is, turned by 90, 180 and 270 degrees counter-clockwise, mirrored
    top to bottom, mirrored left to right, and mirrored at the main and at the other diagonal.
    """

    hash: bytes
    quality: int
    span: float
    variants: tuple[bytes, ...]


def pdq(picture: Pixels) -> Pdq:
    """Return the hash of a picture: an array of rows x columns x 3 (RGB, 0 to 255).

    Raises ValueError for an array of another shape or without pixels.
    """
    if picture.ndim != _LUMA.size or picture.shape[2] != _LUMA.size or not picture.size:
        raise ValueError(f"not a picture of rows x columns x 3: {picture.shape}")
    rows, columns, _ = picture.shape
    return pdq_of_rows(lambda first, last: picture[first:last], rows, columns)


def complement(value: bytes) -> bytes:
    """Return the hash of the negative of a picture: every coefficient changes its sign."""
    return bytes(byte ^ 0xFF for byte in value)


def pdq_of_rows(read: ReadRows, rows: int, columns: int) -> Pdq:
    """Return the hash of a picture too large to hold twice: `read(first, last)` gives rows first to last - 1.

    About 1/32 of the rows is asked for at a time, every row four times.
    """
    upright, mirrored = (_across(read, bands, columns) for bands in (_bands(rows), _mirrored(_bands(rows), rows)))
    along, against = _bands(columns), _mirrored(_bands(columns), columns)
    small = _down(upright, along)
    corner, left_right = _corner(small), _corner(_down(upright, against))
    top_bottom, both = _corner(_down(mirrored, along)), _corner(_down(mirrored, against))
    turns_and_mirrors = (corner, left_right.T, both, top_bottom.T, top_bottom, left_right, corner.T, both.T)
    variants = tuple(_bits(variant) for variant in turns_and_mirrors)
    return Pdq(hash=variants[0], quality=_quality(small), span=float(np.ptp(small)), variants=variants)


def _across(read: ReadRows, bands: Bands, columns: int) -> Float:
    """Return the luma of a picture with its rows filtered and decimated: 64 x columns."""
    strips = [weights @ read(first, first + len(weights)).reshape(len(weights), -1) for first, weights in bands]
    return np.stack(strips).reshape(SIDE, columns, _LUMA.size) @ _LUMA


def _down(luma: Float, bands: Bands) -> Float:
    """Return 64 x columns with its columns filtered and decimated, too: 64 x 64, 0 to 255."""
    return np.stack([luma[:, first : first + len(weights)] @ weights for first, weights in bands], axis=1)


def _bands(length: int) -> Bands:
    """Return, for each of the 64 cells along a side of `length` pixels, the first pixel it sees and the weights."""
    return _kept_bands(length) if length <= _LONGEST_KEPT else _new_bands(length)


def _mirrored(bands: Bands, length: int) -> Bands:
    """Return the bands that give the cells of the mirrored picture from the picture as it is."""
    return tuple((length - first - len(weights), weights[::-1]) for first, weights in bands)


def _new_bands(length: int) -> Bands:
    window = -(-length // _PER_PASS)
    return tuple(_band(int((cell + 0.5) * length / SIDE), length, window) for cell in range(SIDE))


_kept_bands = lru_cache(maxsize=256)(_new_bands)


def _band(centre: int, length: int, window: int) -> tuple[int, Float]:
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


def _cosines() -> Float:
    """Return rows 1 to 16 of the orthonormal DCT-II matrix for 64 samples."""
    rows = np.arange(1, _CORNER + 1)[:, None]
    columns = np.arange(SIDE)[None, :]
    scaled: Float = np.float32(np.sqrt(2 / SIDE)) * np.cos(np.pi / (2 * SIDE) * rows * (2 * columns + 1))
    return scaled.astype(np.float32)


_DCT = _cosines()


def _corner(small: Float) -> Float:
    """Return coefficients (1..16, 1..16) of the two-dimensional cosine transform."""
    return (_DCT @ small @ _DCT.T).astype(np.float32, copy=False)


def _bits(corner: Float) -> bytes:
    """Return the median cut, the last coefficient as the most significant bit."""
    flat = corner.ravel()
    above = flat > np.partition(flat, _MEDIAN)[_MEDIAN]
    return np.packbits(above[::-1]).tobytes()


def _quality(small: Float) -> int:
    """Return the quality: steps between neighbours in per cent of the range, cut to whole ones, summed and scaled."""
    total = 0
    for steps in (np.diff(small, axis=0), np.diff(small, axis=1)):
        total += int(np.abs(np.trunc(steps * _STEP_SCALE / _FULL_SCALE)).sum())
    return min(100, total // _QUALITY_DIVISOR)
