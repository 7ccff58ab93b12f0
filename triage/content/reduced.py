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
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from triage.content import pdq, phash
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

_PARTS = np.cumsum([SIDE, len(pdq.COSINES), len(pdq.COSINES)])  # where the parts of the stacked filters end
_LOBES = 3  # of the Lanczos filter
_KEPT_MEANS = 1024  # filters take 576 bytes a mean: those of a hostile side are not kept


class _Filters(NamedTuple):
    """The filters along one side, as matrices over its means.

    `cells`: the 64 cells of PDQ; `mirrored`: of the mirrored picture, after the cosine transform; `coarse`: of the
    picture as it is after the transform, from means of twice the length; `small`: the 32 samples of pHash. `stacked`:
    all of these, one below the other.
    """

    stacked: Float
    cells: Float
    mirrored: Float
    coarse: Float
    small: Float


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
    cells, mirrored, coarse, small = np.split(down.stacked @ luma, _PARTS)
    grid = cells @ across.cells.T
    corner, left_right = pdq.COSINES @ grid @ pdq.COSINES.T, pdq.COSINES @ (cells @ across.mirrored.T)
    top_bottom, both = mirrored @ across.cells.T @ pdq.COSINES.T, mirrored @ across.mirrored.T
    roughness = float(np.sqrt(np.mean((coarse @ across.coarse.T - corner) ** 2)))
    flat = np.stack(pdq.arranged(corner, left_right, top_bottom, both)).reshape(-1, pdq.BITS)
    low = _low(small @ across.small.T)
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
    """Return the median step between neighbours, in grey levels, more for larger blocks, which level more grain out."""
    return float(np.median(np.abs(np.diff(luma[::8], axis=1)))) * math.sqrt(scale)


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
    frequencies, samples = np.arange(phash.SIDE)[:, None], np.arange(phash.SMALL)[None, :]
    cosines = np.cos(np.pi / (2 * phash.SMALL) * frequencies * (2 * samples + 1))
    scaled: Float = (np.sqrt(2 / phash.SMALL) * cosines).astype(np.float32)
    return scaled


_LOW_DCT = _low_cosines()
_ALTERNATING = np.array([1, -1] * (phash.SIDE // 2), dtype=np.float32)


def _filters(length: int, means: int, scale: float) -> _Filters:
    return (_kept_filters if means <= _KEPT_MEANS else _new_filters)(length, means, scale)


def _new_filters(length: int, means: int, scale: float) -> _Filters:
    bands = bands_along(length)
    twice = _over_means(bands, -(-means // 2), 2 * scale).repeat(2, axis=1)[:, :means] / np.float32(2)
    stacked = np.vstack(
        (
            _over_means(bands, means, scale),
            pdq.COSINES @ _over_means(mirrored_bands(bands, length), means, scale),
            pdq.COSINES @ twice,
            _over_means(_lanczos(length), means, scale),
        )
    )
    return _Filters(stacked, *np.split(stacked, _PARTS))


_kept_filters = lru_cache(maxsize=64)(_new_filters)


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
    step = length / phash.SMALL
    return tuple(_lanczos_band((sample + 0.5) * step, step, length) for sample in range(phash.SMALL))


def _lanczos_band(centre: float, step: float, length: int) -> tuple[int, Float]:
    first, last = max(0, int(centre - _LOBES * step + 0.5)), min(length, int(centre + _LOBES * step + 0.5))
    away = (np.arange(first, last) + 0.5 - centre) / step
    weights = np.where(np.abs(away) < _LOBES, np.sinc(away) * np.sinc(away / _LOBES), 0)
    return first, (weights / weights.sum()).astype(np.float32)
