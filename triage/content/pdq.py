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

import numpy as np
from numpy.typing import NDArray

from triage.content.phash_lanczos import SINGLE_THREADED
from triage.content.tent import SIDE, Float, paired_bands

BITS = 256
MIN_QUALITY = 50
"""Below this quality the authors advise not to compare a hash."""

_CORNER = 16
MEDIAN = BITS // 2 - 1  # the reference takes the lower of the two middle coefficients
LUMA = np.array([0.299, 0.587, 0.114], dtype=np.float32)
_WEIGHTS = {1: np.ones(1, np.float32), 3: LUMA, 4: np.append(LUMA, np.float32(0))}
_STEP_SCALE = np.float32(100)
_FULL_SCALE = np.float32(255)
_QUALITY_DIVISOR = 90

Pixels = NDArray[np.uint8]
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
    """Return the hash of a picture: an array of rows x columns x 3 (RGB, 0 to 255), or 4, of which the last is ignored.

    Rows x columns x 1 are grey. Raises ValueError for an array of another shape or without pixels.
    """
    if picture.ndim != LUMA.size or picture.shape[2] not in _WEIGHTS or not picture.size:
        raise ValueError(f"not a picture of rows x columns x 3: {picture.shape}")
    rows, columns, _ = picture.shape
    return pdq_of_rows(lambda first, last: picture[first:last], rows, columns)


def complement(value: bytes) -> bytes:
    """Return the hash of the negative of a picture: every coefficient changes its sign."""
    return bytes(byte ^ 0xFF for byte in value)


def pdq_of_rows(read: ReadRows, rows: int, columns: int) -> Pdq:
    """Return the hash of a picture too large to hold twice: `read(first, last)` gives rows first to last - 1.

    About 1/64 of the rows is asked for at a time, a few of them twice.
    """
    small = _down(_across(read, rows, columns))
    (corner, top_bottom), (left_right, both) = COSINES @ small @ COSINES.T
    variants = tuple(_bits(variant) for variant in arranged(corner, left_right, top_bottom, both))
    upright = small[0, 0]
    return Pdq(hash=variants[0], quality=quality_of(upright), span=float(np.ptp(upright)), variants=variants)


def arranged(corner: Float, left_right: Float, top_bottom: Float, both: Float) -> tuple[Float, ...]:
    """Return the transforms of the eight turns and mirrors from those of the picture as it is and mirrored."""
    return corner, left_right.T, both, top_bottom.T, top_bottom, left_right, corner.T, both.T


def _across(read: ReadRows, rows: int, columns: int) -> Float:
    """Return the luma of a picture, and of that mirrored top to bottom, filtered and decimated: 2 x 64 x columns."""
    luma = np.empty((2, SIDE, columns), np.float32)
    for cell, (first, weights) in enumerate(paired_bands(rows)):
        strip = read(first, first + weights.shape[1])
        luma[:, cell] = _filtered(strip, weights)
    luma[1] = luma[1, ::-1].copy()
    return luma


def _filtered(strip: Pixels, weights: Float) -> Float:
    """Return the luma of 2 x columns from rows x columns x colours, taken in pieces that stay in the cache."""
    rows, columns, colours = strip.shape
    levels = strip.reshape(rows, -1)
    piece = max(1, SINGLE_THREADED // weights.size // colours) * colours
    room = np.empty((rows, min(piece, levels.shape[1])), np.float32)
    filtered = np.empty((len(weights), levels.shape[1]), np.float32)
    for start in range(0, levels.shape[1], piece):
        some = levels[:, start : start + piece]
        part = room[:, : some.shape[1]]
        part[:] = some
        np.matmul(weights, part, out=filtered[:, start : start + piece])
    luma: Float = filtered.reshape(len(weights), columns, colours) @ _WEIGHTS[colours]
    return luma


def _down(luma: Float) -> Float:
    """Return both, and both mirrored left to right, with their columns filtered, too: 2 x 2 x 64 x 64, 0 to 255."""
    lines = luma.reshape(-1, luma.shape[2])
    small = np.empty((2, len(lines), SIDE), np.float32)
    for cell, (first, weights) in enumerate(paired_bands(luma.shape[2])):
        small[:, :, cell] = weights @ lines[:, first : first + weights.shape[1]].T
    small[1] = small[1, :, ::-1].copy()
    return small.reshape(2, 2, SIDE, SIDE)


def _cosines() -> Float:
    """Return rows 1 to 16 of the orthonormal DCT-II matrix for 64 samples."""
    rows = np.arange(1, _CORNER + 1)[:, None]
    columns = np.arange(SIDE)[None, :]
    scaled: Float = np.float32(np.sqrt(2 / SIDE)) * np.cos(np.pi / (2 * SIDE) * rows * (2 * columns + 1))
    return scaled.astype(np.float32)


COSINES = _cosines()
"""The 16 rows of the cosine transform that make a hash: 16 x 64."""


def _bits(corner: Float) -> bytes:
    """Return the median cut, the last coefficient as the most significant bit."""
    flat = corner.ravel()
    above = flat > np.partition(flat, MEDIAN)[MEDIAN]
    return np.packbits(above[::-1]).tobytes()


def quality_of(small: Float) -> int:
    """Return the quality: steps between neighbours in per cent of the range, cut to whole ones, summed and scaled."""
    total = 0
    for steps in (np.diff(small, axis=0), np.diff(small, axis=1)):
        total += int(np.abs(np.trunc(steps * _STEP_SCALE / _FULL_SCALE)).sum())
    return min(100, total // _QUALITY_DIVISOR)
