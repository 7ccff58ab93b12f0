"""The hashes of a picture from a reduced decode, with a mask of the bits that the full decode may decide otherwise.

Only what is a comparable picture without borders beyond doubt is estimated. Whatever is near a threshold or out of the
ordinary is left to `hash_picture`, so that an estimate never says of a picture what the full decode would not.
"""

import io
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import BinaryIO, TypeVar, cast

import numpy as np

from triage.content.borders import may_have_borders
from triage.content.content import Content, Window
from triage.content.jpeg import JpegHead, jpeg_head, jpeg_pixels
from triage.content.pdq import LUMA, MIN_QUALITY, Pixels, complement
from triage.content.phash import turns
from triage.content.phash_lanczos import SINGLE_THREADED
from triage.content.picture import DEFAULT_LIMITS, MODES, PictureLimits, stored
from triage.content.reduced import ReducedHashes, reduced_hashes
from triage.content.tent import Float
from triage.model.digest import PictureHashes
from triage.model.errors import EvidenceError

_SCALES = (8, 4, 2)
_LEAST_SIDE = 256  # means along the shorter side: with fewer the filter sees too little of the picture
_MOST_MEANS = 1 << 21
_UPRIGHT_VARIANT = {2: 5, 3: 2, 4: 4, 5: 6, 6: 3, 7: 7, 8: 1}  # which turn makes the stored picture upright
_QUALITY_MARGIN = 10  # the quality of means was at most 3 off
_SPAN_MARGIN = 10.0  # grey levels, where less than one is flat
_MOST_UNKNOWN = 24  # bits; beyond that a search costs more than the full decode
_NEAR_END = 16  # levels from black, white, or no and full colour, where single pixels may be cut off
_AT_ONCE = 4  # pixels: BLAS is slow at narrower products
_LUMA_AT_ONCE = np.kron(np.eye(_AT_ONCE, dtype=np.float32), LUMA[:, None])
_PIECE = SINGLE_THREADED // _LUMA_AT_ONCE.size * _AT_ONCE  # pixels: more, and OpenBLAS would start threads

_Value = TypeVar("_Value")


def estimate_picture(content: Content, media_type: str, limits: PictureLimits = DEFAULT_LIMITS) -> PictureHashes | None:
    """Return the hashes of a picture from a decode at 1/8, 1/4 or 1/2 of its sides; None where only the full one tells.

    What is returned is never declined and never damaged, nor would it be by `hash_picture`. Raises EvidenceError when
    the content cannot be read, and MemoryError.
    """
    if media_type != "image/jpeg" or content.size > limits.bytes:
        return None
    data = content.whole()
    head = jpeg_head(data)
    scale = _scale(head, limits) if head else None
    if head is None or scale is None:
        return None
    try:
        orientation = _orientation(content, head, limits)
        pixels = jpeg_pixels(data, head, scale) if orientation is not None else None
    except (MemoryError, EvidenceError):
        raise
    except Exception:  # noqa: BLE001 - decoders of hostile bytes raise anything at all; the full decode says what is wrong
        return None
    return None if pixels is None else _estimate(pixels, head, scale, orientation or 1)


def _scale(head: JpegHead, limits: PictureLimits) -> int | None:
    """Return how far to reduce an ordinary picture; None for any other."""
    if not head.ordinary or head.width * head.height > limits.pixels:
        return None
    scales = (scale for scale in _SCALES if min(head.width, head.height) >= _LEAST_SIDE * scale)
    scale = next(scales, None)
    return scale if scale and head.width * head.height <= _MOST_MEANS * scale**2 else None


def _orientation(content: Content, head: JpegHead, limits: PictureLimits) -> int | None:
    """Return the EXIF orientation, as the full decode finds it; None where it does not find this very picture."""
    file = cast("BinaryIO", io.BufferedReader(Window(content.read_at, content.size)))
    size, mode, orientation = stored(file, "image/jpeg", limits)
    agreed = size == (head.width, head.height) and mode == MODES[head.components]
    return orientation if agreed else None


def _estimate(pixels: Pixels, head: JpegHead, scale: int, orientation: int) -> PictureHashes | None:
    luma = as_luma(pixels)
    if may_have_borders(luma):
        return None
    found = reduced_hashes(luma, head.height, head.width, scale, cut=near_end(pixels))
    if found.quality < MIN_QUALITY + _QUALITY_MARGIN or found.span < _SPAN_MARGIN or _unknown(found) > _MOST_UNKNOWN:
        return None
    pdq, pdq_unknown = upright(found.pdq, orientation), upright(found.pdq_unknown, orientation)
    phash, phash_unknown = upright(found.phash, orientation), upright(found.phash_unknown, orientation)
    return PictureHashes(
        pdq=pdq[0].hex(),
        quality=found.quality,
        phash=phash[0].hex(),
        pdq_variants=hexadecimal([*pdq, complement(pdq[0])]),
        phash_variants=hexadecimal(phash),
        scale=scale,
        pdq_unknown=hexadecimal([*pdq_unknown, pdq_unknown[0]]),
        phash_unknown=hexadecimal(phash_unknown),
    )


def as_luma(pixels: Pixels) -> Float:
    """Return rows x columns of luma from rows x columns x 1 (grey) or 3 (RGB)."""
    if pixels.shape[2] == 1:
        return pixels[:, :, 0].astype(np.float32)
    levels = pixels.reshape(-1)
    luma = np.empty(levels.size // LUMA.size, np.float32)
    whole = luma.size - luma.size % _AT_ONCE
    for start in range(0, whole, _PIECE):
        end = min(start + _PIECE, whole)
        some = levels[LUMA.size * start : LUMA.size * end].reshape(-1, LUMA.size * _AT_ONCE).astype(np.float32)
        np.matmul(some, _LUMA_AT_ONCE, out=luma[start:end].reshape(-1, _AT_ONCE))
    luma[whole:] = levels[LUMA.size * whole :].reshape(-1, LUMA.size) @ LUMA
    return luma.reshape(pixels.shape[:2])


def near_end(pixels: Pixels) -> float:
    """Return the share of pixels near an end of the range in any colour; one in sixteen is looked at."""
    some = pixels[::4, ::4].copy()
    near = some - np.uint8(_NEAR_END + 1) >= 255 - 2 * _NEAR_END - 1  # both ends at once: the difference wraps around
    return float(np.logical_or.reduce([near[:, :, band] for band in range(near.shape[2])]).mean())


def _unknown(found: ReducedHashes) -> int:
    return max(int.from_bytes(mask, "big").bit_count() for mask in found.pdq_unknown)


def upright(variants: Sequence[_Value], orientation: int) -> list[_Value]:
    """Return the variants of the upright picture from those of the picture as stored, by its EXIF orientation."""
    return [variants[number] for number in _upright_order(orientation)]


@lru_cache
def _upright_order(orientation: int) -> tuple[int, ...]:
    places = np.arange(6, dtype=np.uint8).reshape(2, 3)
    stored_turns = [turned.tolist() for turned in turns(places)]
    upright_turns = turns(turns(places)[_UPRIGHT_VARIANT.get(orientation, 0)])
    return tuple(stored_turns.index(turned.tolist()) for turned in upright_turns)


def hexadecimal(values: Iterable[bytes]) -> tuple[str, ...]:
    """Return each as `PictureHashes` has it."""
    return tuple(value.hex() for value in values)
