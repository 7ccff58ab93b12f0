"""The first look at a picture: the hashes of what it embeds to be shown quickly, from the first bytes of the file.

What a thumbnail looks like decides in which order pictures are decoded, and nothing else: it may belong to another
picture. A camera's thumbnail in EXIF is 160 x 120; a progressive JPEG begins with a picture of 1/8 of its size; a HEIC
file has an item for it. It is hashed with the filter of the size that the picture has.
"""

import re
from collections.abc import Callable
from io import BytesIO
from typing import cast

import numpy as np
import pillow_heif
import simplejpeg

from triage.content.bitmap import Pixels
from triage.content.content import KEEP, Content
from triage.content.estimate import as_luma, hexadecimal, upright
from triage.content.exif import parse_exif
from triage.content.jpeg import PROGRESSIVE, JpegHead, jpeg_head
from triage.content.mediatype import quick_type
from triage.content.pdq import MIN_QUALITY, complement
from triage.content.picture import DEFAULT_LIMITS
from triage.content.reduced import reduced_hashes
from triage.content.tent import Float
from triage.model.digest import PictureHashes
from triage.model.errors import EvidenceError

_FIRST, _MOST = 64 << 10, 128 << 10
_LEAST = 16  # pixels of a thumbnail's shorter side
_LARGEST = 1024  # of its longer side: a larger one is no thumbnail, and not looked at
_DARK = 24  # grey levels: bars around a thumbnail are black, as far as JPEG lets them
_SCAN_END = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_END = b"\xff\xd9"


def glimpse(content: Content) -> PictureHashes | None:
    """Return the hashes of what a picture embeds; None for other contents and where nothing is embedded.

    Of a JPEG file at most 128 KiB are read. Bits may be wrong that no mask says. Raises EvidenceError and MemoryError.
    """
    head = content.read_at(0, _FIRST)
    look: Callable[[Content, bytes], PictureHashes | None] | None = _LOOKS.get(quick_type(head[:4096]) or "")
    try:
        return look(content, head) if look else None
    except (MemoryError, EvidenceError):
        raise
    except Exception:  # noqa: BLE001 - decoders of hostile bytes raise anything at all; there is nothing to see then
        return None


def _jpeg(content: Content, data: bytes) -> PictureHashes | None:
    head = jpeg_head(data)
    if head is None or head.exif is None or sum(head.exif) > len(data):
        data += content.read_at(len(data), _MOST - len(data))
        head = jpeg_head(data)
    if head is None or not _sized(head.width, head.height):
        return None
    tiff = data[head.exif[0] : sum(head.exif)] if head.exif else b""
    exif = parse_exif(tiff)
    orientation = exif.orientation if exif else 1
    if exif and exif.thumbnail:
        start, length = exif.thumbnail
        luma = _inside(_decoded(tiff[start : start + length]), head.width / head.height)
        return _hashed(luma, head.width, head.height, orientation)
    if head.kind == PROGRESSIVE:
        means = _first_scan(data + content.read_at(len(data), _MOST - len(data)), head)
        return None if means is None else _hashed(means, head.width, head.height, orientation, 8)
    return None


def _sized(width: int, height: int) -> bool:
    return min(width, height) > _LEAST and width * height <= DEFAULT_LIMITS.pixels


def _decoded(data: bytes) -> Float:
    """Return the luma of a thumbnail. Raises ValueError for one that is none."""
    height, width, _, _ = simplejpeg.decode_jpeg_header(data, strict=False)
    if not min(height, width) >= _LEAST or max(height, width) > _LARGEST:
        raise ValueError(f"a thumbnail of {width} x {height} pixels")
    return as_luma(simplejpeg.decode_jpeg(data, "GRAY", strict=False))


def _first_scan(data: bytes, head: JpegHead) -> Float | None:
    """Return the means of 8 x 8 pixels that the first scan holds; None where it goes on after the data."""
    end = _SCAN_END.search(data, head.scan + 2)
    if end is None:
        return None
    rows, columns = -(-head.height // 8), -(-head.width // 8)
    pixels: Pixels = simplejpeg.decode_jpeg(
        data[: end.start()] + _END, "GRAY", min_height=rows, min_width=columns, strict=False
    )
    return as_luma(pixels) if pixels.shape[:2] == (rows, columns) else None


def _inside(luma: Float, shape: float) -> Float:
    """Return a thumbnail without the black bars that it has where the picture (width by height) has another shape."""
    height, width = luma.shape
    inside = _trimmed(_trimmed(luma, round(width / shape)).T, round(height * shape)).T
    if inside.shape == luma.shape and (width > height) != (shape > 1):
        return _trimmed(_trimmed(luma, round(width * shape)).T, round(height / shape)).T
    return inside


def _trimmed(lines: Float, kept: int) -> Float:
    """Return so many lines from the middle, the lighter ones where they do not lie evenly, if the others are black."""
    start, odd = divmod(len(lines) - kept, 2)
    if start <= 0 or max(lines[:start].mean(), lines[-start:].mean()) > _DARK:
        return lines
    start += odd and lines[start].mean() < lines[start + kept].mean()
    return lines[start : start + kept]


def _heic(content: Content, _head: bytes) -> PictureHashes | None:
    """Look at the largest thumbnail item. The library wants the whole file, of which it decodes only that item."""
    if content.size > KEEP:
        return None
    file = pillow_heif.open_heif(BytesIO(content.whole()))
    image = file[file.primary_index]
    sides = cast("list[int]", image.info["thumbnails"])  # the longer ones
    largest = max((side for side in sides if _LEAST <= side <= _LARGEST), default=0)
    if not largest or not _sized(*image.size):
        return None
    thumbnail = image.get_thumbnail(sides.index(largest)).to_pillow().convert("L")
    return _hashed(as_luma(np.asarray(thumbnail)[:, :, None]), *image.size, 1)


_LOOKS = {"image/jpeg": _jpeg, "image/heic": _heic, "image/heif": _heic}


def _hashed(luma: Float, width: int, height: int, orientation: int, scale: int | None = None) -> PictureHashes:
    """Return the hashes of the upright picture of which this is a small copy, whichever way that stands."""
    if (luma.shape[1] > luma.shape[0]) != (width > height):
        width, height = height, width
    found = reduced_hashes(luma, height, width, scale)
    variants, phashes = upright(found.pdq, orientation), upright(found.phash, orientation)
    declined = f"low quality: {found.quality}" if found.quality < MIN_QUALITY else None
    return PictureHashes(
        pdq=variants[0].hex(),
        quality=found.quality,
        phash=phashes[0].hex(),
        pdq_variants=() if declined else hexadecimal([*variants, complement(variants[0])]),
        phash_variants=() if declined else hexadecimal(phashes),
        declined=declined,
        scale=max(2, round(width / luma.shape[1])),
    )
