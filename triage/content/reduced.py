"""PDQ and pHash from the means of square blocks of pixels, and which of their bits the pixels may decide otherwise.

A JPEG is decoded to such means, 1/2, 1/4 or 1/8 of its sides, in less time than to its pixels. Both hashes begin with a
linear filter, so it is made for the size of the *original* and then summed over the blocks. Within a block the pixels
are taken to go on as straight as the means around it do, which halves the error.

What is left is what the means do not tell. It is estimated for each picture by doing the same once more with blocks of
twice the side: the root mean square by which the coefficients of PDQ then change is the *roughness*. Beside it stand
rounding, and single pixels that the full decode cuts off at black, white or full colour: where a picture is near an end
of the range, or full of grain. A coefficient nearer to the median than a band made of these is an unknown bit.
docs/pdq.md says how wide the band has to be, and how wide it is.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from triage.content import pdq, phash
from triage.content.phash_lanczos import SINGLE_THREADED, SMALL, lanczos_band
from triage.content.tent import SIDE, Bands, Float, bands_along, mirrored_bands


class Band(NamedTuple):
    """How far from the median a coefficient may be and its bit still unknown: the root of the sum of squares.

    In units of an orthonormal cosine transform of grey levels. `least` is added as it is; the others are multiplied
    with what was found of the picture: its roughness, the share of blocks whose pixels may be cut off, the grain.
    """

    roughness: float
    least: float
    cut: float
    grain: float

    def width(self, roughness: float, cut: float, grain: float) -> float:
        """Return half the width of the band around the median."""
        parts = (self.roughness * roughness, self.least, self.cut * cut, self.grain * grain)
        return math.hypot(*parts)


PDQ_BAND = Band(2.5, 0.5, 5.0, 0.3)
PHASH_BAND = Band(1.2, 2.5, 3.0, 0.1)

_CELLS, _MIRRORED, _COARSE, _SMALL = (slice(start, start + SIDE) for start in range(0, 4 * SIDE, SIDE))
_SAMPLES = 3 * SIDE + SMALL
_BLOCKS = 8
_KEPT_MEANS = 1024  # filters take some 200 bytes a mean: those of a hostile side are not kept


class _Block(NamedTuple):
    """Some means of a side, which of the samples see them, and with which weights (samples x means).

    The samples are the 64 cells of PDQ, those of the mirrored picture, those of the picture as it is from means of
    twice the length, and the 32 of pHash.
    """

    start: int
    end: int
    samples: NDArray[np.intp]
    weights: Float


@dataclass(frozen=True, slots=True, kw_only=True)
class ReducedHashes:
    """Hashes of a picture from means of blocks: eight of each kind in PDQ's order, and a mask of unknown bits for each.

    `quality` and `span` as in `Pdq`; `roughness`: see above.
    """

    pdq: tuple[bytes, ...]
    pdq_unknown: tuple[bytes, ...]
    phash: tuple[bytes, ...]
    phash_unknown: tuple[bytes, ...]
    quality: int
    span: float
    roughness: float


def reduced_hashes(
    luma: Float, rows: int, columns: int, scale: int | None = None, *, cut: float = 0.0
) -> ReducedHashes:
    """Return the hashes of a picture of rows x columns from the means of its luma (0 to 255).

    `scale`: the means are of scale x scale pixels, and the blocks at the far edges reach over them; without it, `luma`
    covers the picture exactly, as a thumbnail does. `cut`: the share of blocks near an end of the range of a colour.
    """
    down, across = (
        _filters(length, means, scale or length / means)
        for length, means in zip((rows, columns), luma.shape, strict=True)
    )
    samples = _filtered(across, np.ascontiguousarray(_filtered(down, luma).T)).T
    cells, grid = samples[: 2 * SIDE, : 2 * SIDE].reshape(2, SIDE, 2, SIDE).swapaxes(1, 2), samples[_CELLS, _CELLS]
    (corner, left_right), (top_bottom, both) = pdq.COSINES @ cells @ pdq.COSINES.T
    coarse = pdq.COSINES @ samples[_COARSE, _COARSE] @ pdq.COSINES.T
    roughness = float(np.sqrt(np.mean((coarse - corner) ** 2)))
    flat = np.stack(pdq.arranged(corner, left_right, top_bottom, both)).reshape(-1, pdq.BITS)
    low = _low(samples[_SMALL, _SMALL])
    above, low_above = flat - _lower_median(flat), low - np.median(low, axis=1, keepdims=True)
    found = roughness, cut, _grain(luma, scale or 1)
    return ReducedHashes(
        pdq=_packed((above > 0)[:, ::-1]),
        pdq_unknown=_packed((np.abs(above) <= PDQ_BAND.width(*found))[:, ::-1]),
        phash=_packed(low_above > 0),
        phash_unknown=_packed(np.abs(low_above) <= PHASH_BAND.width(*found)),
        quality=pdq.quality_of(grid),
        span=float(np.ptp(grid)),
        roughness=roughness,
    )


def _grain(luma: Float, scale: int) -> float:
    """Return the median step between neighbours, in grey levels, more for larger blocks, which level more grain out.

    One step in 32 is looked at.
    """
    lines = luma[::8]
    steps = np.abs(lines[:, 1::4] - lines[:, :-1:4]).ravel()
    return float(np.partition(steps, len(steps) // 2)[len(steps) // 2]) * math.sqrt(scale)


def _lower_median(flat: Float) -> Float:
    return np.partition(flat, pdq.MEDIAN, axis=1)[:, pdq.MEDIAN, None]


def _packed(bits: NDArray[np.bool_]) -> tuple[bytes, ...]:
    return tuple(row.tobytes() for row in np.packbits(bits, axis=1))


def _low(small: Float) -> Float:
    """Return the low coefficients of the eight turns and mirrors of the small picture of pHash: 8 x 64."""
    corner = _LOW_DCT @ np.clip(small, 0, 255) @ _LOW_DCT.T
    left_right, top_bottom = corner * _ALTERNATING, corner * _ALTERNATING[:, None]
    turned = pdq.arranged(corner, left_right, top_bottom, left_right * _ALTERNATING[:, None])
    return np.stack(turned).reshape(-1, phash.SIDE**2)


def _low_cosines() -> Float:
    """Return the first 8 rows of the DCT-II matrix for 32 samples, the first not scaled down, as imagehash has it."""
    frequencies, samples = np.arange(phash.SIDE)[:, None], np.arange(SMALL)[None, :]
    cosines = np.cos(np.pi / (2 * SMALL) * frequencies * (2 * samples + 1))
    scaled: Float = (np.sqrt(2 / SMALL) * cosines).astype(np.float32)
    return scaled


_LOW_DCT = _low_cosines()
_ALTERNATING = np.array([1, -1] * (phash.SIDE // 2), dtype=np.float32)


def _filtered(filters: tuple[_Block, ...], luma: Float) -> Float:
    """Return samples x columns from means x columns, as products small enough for OpenBLAS to start no threads."""
    columns = luma.shape[1]
    filtered = np.zeros((_SAMPLES, columns), np.float32)
    for start, end, samples, weights in filters:
        seen = np.empty((len(samples), columns), np.float32)
        piece = max(1, SINGLE_THREADED // max(1, weights.size))
        for first in range(0, columns, piece):
            last = first + piece
            np.matmul(weights, luma[start:end, first:last], out=seen[:, first:last])
        filtered[samples] += seen
    return filtered


def _filters(length: int, means: int, scale: float) -> tuple[_Block, ...]:
    return (_kept_filters if means <= _KEPT_MEANS else _new_filters)(length, means, scale)


def _new_filters(length: int, means: int, scale: float) -> tuple[_Block, ...]:
    bands = bands_along(length)
    twice = _over_means(bands, -(-means // 2), 2 * scale).repeat(2, axis=1)[:, :means] / np.float32(2)
    weights = np.vstack(
        (
            _over_means(bands, means, scale),
            _over_means(mirrored_bands(bands, length), means, scale),
            twice,
            _over_means(_lanczos(length), means, scale),
        )
    )
    bounds = [means * number // _BLOCKS for number in range(_BLOCKS + 1)]
    return tuple(_block(weights, start, end) for start, end in pairwise(bounds))


_kept_filters = lru_cache(maxsize=64)(_new_filters)


def _block(weights: Float, start: int, end: int) -> _Block:
    samples = np.flatnonzero(weights[:, start:end].any(axis=1))
    return _Block(start, end, samples, np.ascontiguousarray(weights[samples, start:end]))


def _over_means(bands: Bands, means: int, scale: float) -> Float:
    """Return a filter over pixels as a matrix over the means of `scale` pixels each.

    The pixels of a block are taken to lie on a line through its mean, as steep as that through the means beside it.
    """
    weights = np.concatenate([band for _, band in bands])
    places = np.concatenate([np.arange(first, first + len(band)) for first, band in bands]) + 0.5
    block = np.minimum((places / scale).astype(np.int64), means - 1)
    cell = np.repeat(np.arange(len(bands)), [len(band) for _, band in bands]) * means + block
    sums = _summed(cell, weights, (len(bands), means))
    slopes = _summed(cell, weights * (places / scale - block - 0.5), (len(bands), means))
    slopes[:, [0, -1]] = 0
    sums[:, :-1] -= slopes[:, 1:] / 2
    sums[:, 1:] += slopes[:, :-1] / 2
    return sums.astype(np.float32)


def _summed(cell: NDArray[np.int64], weights: NDArray[np.floating], shape: tuple[int, int]) -> NDArray[np.float64]:
    return np.asarray(np.bincount(cell, weights, shape[0] * shape[1]), dtype=np.float64).reshape(shape)


def _lanczos(length: int) -> Bands:
    """Return the weights by which Pillow makes the 32 samples of pHash out of a side, longer than that, of pixels."""
    step = length / SMALL
    bands = (lanczos_band((sample + 0.5) * step, step, length) for sample in range(SMALL))
    return tuple((first, weights.astype(np.float32)) for first, weights in bands)
