"""Pictures with the structure and grain of photographs, and JPEG files with a thumbnail in EXIF as of a camera."""

import io
import struct

import numpy as np
from images.pictures import scene
from PIL import Image

THUMBNAIL = (160, 120)
_ORIENTATION, _OFFSET, _LENGTH = 0x0112, 0x0201, 0x0202
_SHORT, _LONG = 3, 4


def photograph(seed: int, size: tuple[int, int]) -> Image.Image:
    """Return one picture of (width, height): broad shapes, edges, and grain that JPEG keeps in part."""
    numbers = np.random.default_rng(seed)
    small = scene(seed, (min(size[0], 1000), min(size[1], 750))).resize(size, Image.Resampling.BICUBIC)
    shade = np.asarray(small).astype(np.float32)
    corners = numbers.integers(0, min(size), (12, 2))
    for left, top in corners:
        side = int(numbers.integers(min(size) // 12, min(size) // 3))
        shade[top : top + side, left : left + side] *= numbers.uniform(0.5, 1.3)
    grain = numbers.normal(0, 7, (size[1], size[0])).astype(np.float32)
    return Image.fromarray(np.clip(shade + grain[:, :, None], 0, 255).astype(np.uint8))


def with_thumbnail(
    picture: Image.Image, *, quality: int = 90, orientation: int = 1, bars: bool = False, thumbnail: bytes | None = None
) -> bytes:
    """Return a JPEG file with a thumbnail of 160 x 120 pixels at most; `bars`: filled up to that with black."""
    small = _jpeg(_thumbnail(picture, bars=bars), 80) if thumbnail is None else thumbnail
    first = struct.pack("<HHHIIL", 1, _ORIENTATION, _SHORT, 1, orientation, 26)
    start = 8 + len(first) + 2 + 2 * 12 + 4
    second = struct.pack("<HHHIIHHIIL", 2, _OFFSET, _LONG, 1, start, _LENGTH, _LONG, 1, len(small), 0)
    file = io.BytesIO()
    exif = b"Exif\0\0II*\0" + struct.pack("<I", 8) + first + second + small
    picture.save(file, "JPEG", quality=quality, exif=exif)
    return file.getvalue()


def _thumbnail(picture: Image.Image, *, bars: bool) -> Image.Image:
    small = picture.copy()
    small.thumbnail(THUMBNAIL)
    if not bars:
        return small
    framed = Image.new("RGB", THUMBNAIL)
    framed.paste(small, ((THUMBNAIL[0] - small.width) // 2, (THUMBNAIL[1] - small.height) // 2))
    return framed


def _jpeg(picture: Image.Image, quality: int) -> bytes:
    file = io.BytesIO()
    picture.save(file, "JPEG", quality=quality)
    return file.getvalue()
